"""scikit-learn's exact nearest rows. Prints one JSON object: {"seconds": …, "distances": …, "versions": {…}}."""

import argparse
import json
import time
from importlib.metadata import version

import numpy as np
from sklearn.neighbors import NearestNeighbors

parser = argparse.ArgumentParser()
parser.add_argument("base", help="float32, row-major")
parser.add_argument("queries", help="float32, row-major")
parser.add_argument("--width", type=int, required=True)
parser.add_argument("--k", type=int, required=True)
args = parser.parse_args()
base, queries = (np.fromfile(file, dtype=np.float32).reshape(-1, args.width) for file in (args.base, args.queries))
start = time.perf_counter()
distances, _ = NearestNeighbors(n_neighbors=args.k, algorithm="brute").fit(base).kneighbors(queries)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - start,
            "distances": float(distances.sum()),
            "versions": {name: version(name) for name in ["scikit-learn", "numpy"]},
        }
    )
)

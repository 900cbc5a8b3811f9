"""hnswlib on the same latents: time to build, queries a second, recall@k against all distances. Prints one JSON value."""

import argparse
import json
import time
from importlib.metadata import version

import hnswlib
import numpy as np
import pyarrow.parquet as pq

EXACT = 500


def read(path):
    table = pq.read_table(path)
    return np.ascontiguousarray(np.column_stack([table[name].to_numpy() for name in table.column_names]), dtype=np.float32)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("gallery")
    parser.add_argument("queries")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--connectivity", type=int, required=True)
    parser.add_argument("--expansion-add", type=int, required=True)
    parser.add_argument("--expansion-search", type=int, required=True)
    given = parser.parse_args()
    x, q = read(given.gallery), read(given.queries)
    index = hnswlib.Index(space="l2", dim=x.shape[1])
    index.init_index(max_elements=len(x), M=given.connectivity, ef_construction=given.expansion_add, random_seed=7)
    start = time.perf_counter()
    index.add_items(x, num_threads=1)
    built = time.perf_counter() - start
    index.set_ef(given.expansion_search)
    start = time.perf_counter()
    found, _ = index.knn_query(q, k=given.k, num_threads=1)
    asked = time.perf_counter() - start
    hits = 0
    for i in range(min(EXACT, len(q))):
        distances = ((x - q[i]) ** 2).sum(1)
        # Equal distances count as found: either neighbour is right.
        hits += int((distances[found[i]] <= np.partition(distances, given.k - 1)[given.k - 1] * (1 + 1e-6)).sum())
    print(
        json.dumps(
            {
                "build": built,
                "perSecond": len(q) / asked,
                "recall": hits / (min(EXACT, len(q)) * given.k),
                "versions": {name: version(name) for name in ["hnswlib", "numpy"]},
            }
        )
    )


main()

"""Rows drawn by SDV's generators, learned from one Parquet file, and what SDMetrics says of them.

The last line of output is JSON: seconds and SDMetrics' quality of each generator, and of other files named.
"""

import argparse
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import ctgan  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import sdmetrics  # noqa: E402
import sdv  # noqa: E402
import torch  # noqa: E402
from sdmetrics.reports.single_table import QualityReport  # noqa: E402
from sdv.metadata import Metadata  # noqa: E402
from sdv.single_table import GaussianCopulaSynthesizer, TVAESynthesizer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("train")
parser.add_argument("--out", required=True)
parser.add_argument("--rows", type=int, required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--peers", default="tvae,copula")
parser.add_argument("--score", nargs="*", default=[], help="other files of drawn rows to score: NAME=PATH")
args = parser.parse_args()

torch.set_num_threads(1)
train = pd.read_parquet(args.train)
numeric = {c: pd.api.types.is_numeric_dtype(train[c]) for c in train}
columns = {c: {"sdtype": "numerical" if n else "categorical"} for c, n in numeric.items()}
metadata = Metadata.load_from_dict({"tables": {"table": {"columns": columns}}, "relationships": []})


def quality(made):
    report = QualityReport()
    report.generate(train, made[list(train)], {"columns": columns}, verbose=False)
    return float(report.get_score())


makers = {
    "tvae": lambda: TVAESynthesizer(metadata, epochs=args.epochs),
    "copula": lambda: GaussianCopulaSynthesizer(metadata),
}
result = {"scores": {}, "versions": {"sdv": sdv.__version__, "ctgan": ctgan.__version__, "sdmetrics": sdmetrics.__version__, "torch": torch.__version__}}
for name in args.peers.split(","):
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    started = time.perf_counter()
    maker = makers[name]()
    maker.fit(train)
    made = maker.sample(num_rows=args.rows)
    path = f"{args.out}{name}.parquet"
    made.to_parquet(path)
    result["scores"][name] = {"seconds": time.perf_counter() - started, "quality": quality(made), "path": path}
for pair in args.score:
    name, path = pair.split("=", 1)
    result["scores"][name] = {"seconds": 0, "quality": quality(pd.read_parquet(path)), "path": path}
sys.stdout.flush()
print()
print(json.dumps(result))

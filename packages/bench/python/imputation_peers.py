"""One table and one mask: hide cells by GAIN's protocol, write the tables for us to fill, score scikit-learn's methods.

The mask is GAIN's own: uniform numbers of NumPy's RandomState(seed), hidden where >= 1 - rate.
Prints one JSON object: {"cells": …, "scores": {peer: {"rmse": …, "seconds": …}}, "versions": {…}}.
"""

import argparse
import json
import time
import warnings

import numpy as np
import pandas as pd
import sklearn
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

PEERS = {
    "mean": lambda: SimpleImputer(),
    "knn": lambda: KNNImputer(n_neighbors=5),
    "ice": lambda: IterativeImputer(),
    # missForest: a forest of 100 trees a column, columns in ascending order of missing cells, three rounds.
    "missforest": lambda: IterativeImputer(RandomForestRegressor(100, n_jobs=-1, random_state=0), max_iter=3),
}

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--rate", type=float, default=0.2)
parser.add_argument("--out", required=True, help="prefix of the files truth, masked and mask .parquet")
parser.add_argument("--peers", default=",".join(PEERS))
args = parser.parse_args()
warnings.filterwarnings("ignore")

table = pd.read_parquet(args.table).select_dtypes("number").astype(float)
x = table.to_numpy()
x = (x - x.min(0)) / (x.max(0) - x.min(0))
hidden = np.random.RandomState(args.seed).uniform(0.0, 1.0, size=x.shape) >= 1 - args.rate
masked = np.where(hidden, np.nan, x)
columns = list(table.columns)
pd.DataFrame(x, columns=columns).to_parquet(f"{args.out}truth.parquet")
# None, not NaN: a missing cell is a null.
pd.DataFrame(masked, columns=columns).astype("Float64").to_parquet(f"{args.out}masked.parquet")
pd.DataFrame(hidden, columns=columns).to_parquet(f"{args.out}mask.parquet")

scores = {}
for peer in filter(None, args.peers.split(",")):
    start = time.perf_counter()
    filled = PEERS[peer]().fit_transform(masked)
    seconds = time.perf_counter() - start
    scores[peer] = {"rmse": float(np.sqrt(np.mean((filled - x)[hidden] ** 2))), "seconds": seconds}
print(
    json.dumps(
        {
            "cells": int(hidden.sum()),
            "scores": scores,
            "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "pandas": pd.__version__},
        }
    )
)

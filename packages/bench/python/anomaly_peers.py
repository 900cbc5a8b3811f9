"""One table, one split: write the rows to learn from and to score, and score the detectors of scikit-learn and PyOD.

Protocol of DTE (Livernoche et al., ICLR 2024): learn from half of the normal rows, score the other half and all others;
columns standardised by the rows to learn from. `order`: the first half in the file's order; `random`: drawn by the seed.
Prints one JSON object: {"train": n, "normals": n, "anomalies": n, "scores": {peer: {"auroc": …, "seconds": …}}, "versions": …}.
"""

import argparse
import json
import time
import warnings

import numpy as np
import pandas as pd
import pyod
import sklearn
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.pca import PCA
from scipy.stats import rankdata
from sklearn.decomposition import PCA as Components
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("--label", required=True)
parser.add_argument("--normal", required=True, help="values of the label that mean normal, by commas")
parser.add_argument("--drop", default="", help="values of the label whose rows are left out")
parser.add_argument("--split", choices=["order", "random"], required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--out", required=True, help="prefix of the files train and test .parquet")
parser.add_argument("--peers", default="")
args = parser.parse_args()
warnings.filterwarnings("ignore")

table = pd.read_parquet(args.table)
table = table[~table[args.label].astype(str).isin(args.drop.split(","))]
is_normal = table[args.label].astype(str).isin(args.normal.split(",")).to_numpy()
normal = np.flatnonzero(is_normal)
if args.split == "random":
    normal = np.random.RandomState(args.seed).permutation(normal)
half = len(normal) // 2
fit = np.sort(normal[:half])
test = np.sort(np.concatenate([normal[half:], np.flatnonzero(~is_normal)]))
features = [name for name in table.columns if name != args.label]
numbers = table[features].to_numpy(dtype=float)
side = pd.DataFrame(numbers, columns=features)
side["is_normal"] = is_normal
side.iloc[fit].to_parquet(f"{args.out}train.parquet", index=False)
side.iloc[test].to_parquet(f"{args.out}test.parquet", index=False)

scaler = StandardScaler().fit(numbers[fit])
x, y = scaler.transform(numbers[fit]), scaler.transform(numbers[test])
truth = ~is_normal[test]


def principal_error(x, y):
    kept = Components(0.9).fit(x)
    return ((y - kept.inverse_transform(kept.transform(y))) ** 2).sum(1)


def by_pyod(make):
    return lambda x, y: make().fit(x).decision_function(y)


knn = lambda x, y: NearestNeighbors(n_neighbors=5).fit(x).kneighbors(y)[0][:, -1]  # noqa: E731
PEERS = {
    "knn": knn,
    "lof": lambda x, y: -LocalOutlierFactor(20, novelty=True).fit(x).score_samples(y),
    "pca": principal_error,
    "iforest": lambda x, y: -IsolationForest(random_state=args.seed).fit(x).score_samples(y),
    "pyod-knn": by_pyod(KNN),
    "pyod-lof": by_pyod(LOF),
    "pyod-pca": by_pyod(PCA),
    "pyod-hbos": by_pyod(HBOS),
    "pyod-iforest": by_pyod(lambda: IForest(random_state=args.seed)),
    "pyod-ecod": by_pyod(ECOD),
    "pyod-copod": by_pyod(COPOD),
    "knn+hbos": lambda x, y: rankdata(knn(x, y)) + rankdata(HBOS().fit(x).decision_function(y)),
}

scores = {}
for peer in args.peers.split(",") if args.peers else PEERS:
    start = time.perf_counter()
    found = PEERS[peer](x, y)
    scores[peer] = {"auroc": float(roc_auc_score(truth, found)), "seconds": time.perf_counter() - start}
print(
    json.dumps(
        {
            "train": len(fit),
            "normals": int((~truth).sum()),
            "anomalies": int(truth.sum()),
            "scores": scores,
            "versions": {"scikit-learn": sklearn.__version__, "pyod": pyod.__version__, "numpy": np.__version__},
        }
    )
)

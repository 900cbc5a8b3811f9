"""Random forest on raw columns with few labels. Prints one JSON value."""

import argparse
import json

import numpy as np
import pyarrow.parquet as pq
import sklearn
from sklearn.ensemble import RandomForestClassifier


def read(path, label):
    table = pq.read_table(path)
    columns = []
    for name in table.column_names:
        if name == label:
            continue
        values = table[name].to_pylist()
        columns.append(np.asarray(values, dtype=np.float32).reshape(len(values), -1))
    return np.hstack(columns), np.asarray([str(value) for value in table[label].to_pylist()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--label", required=True)
    parser.add_argument("--budgets", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    x, y = read(given.train, given.label)
    x_test, y_test = read(given.test, given.label)
    scores = {}
    for budget in map(int, given.budgets.split(",")):
        found = []
        for seed in range(given.seeds):
            rows = np.random.RandomState(seed).permutation(len(x))[:budget]
            forest = RandomForestClassifier(300, random_state=seed).fit(x[rows], y[rows])
            found.append(float((forest.predict(x_test) == y_test).mean()))
        scores[str(budget)] = {"accuracy": float(np.mean(found)), "spread": float(np.std(found, ddof=1)) if len(found) > 1 else 0.0}
    print(json.dumps({"scores": scores, "versions": {"scikit-learn": sklearn.__version__}}))


main()

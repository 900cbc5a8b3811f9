"""A net to train, as the benchmark wrote it: net.json beside raw little-endian arrays."""

import json
import os

import numpy as np


class Case:
    """Initial weights, data, and the orders of rows of the epochs whose losses are compared."""

    def __init__(self, folder):
        with open(os.path.join(folder, "net.json")) as file:
            meta = json.load(file)
        self.net = meta["net"]
        self.batch = meta["batchSize"]
        self.rate = meta["rate"]
        self.decay = meta["weightDecay"]

        def arrays(listing):
            return {
                name: np.fromfile(os.path.join(folder, entry["file"]), entry["dtype"]).reshape(entry["shape"])
                for name, entry in listing.items()
            }

        self.params = arrays(meta["params"])
        self.data = arrays(meta["data"])
        self.orders = list(arrays(meta["orders"]).values())
        self.rows = len(next(iter(self.data.values())))
        self.steps = -(-self.rows // self.batch)

    def widths(self):
        """Widths of a dense net, the first being that of its input."""
        weights = [w for name, w in self.params.items() if name.endswith("/weight")]
        return [weights[0].shape[0]] + [w.shape[1] for w in weights]

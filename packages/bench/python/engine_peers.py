"""Trains one net of the engine benchmark with one library, in a process of its own.

engine_peers.py FOLDER PEER THREADS EPOCHS SECONDS

PEER: torch (eager), torch-fused (fused AdamW), torch-compile (and fused AdamW), keras, sklearn (inference only).
Prints one JSON object: {"losses": mean of each compared epoch, "msPerStep", "cpuMsPerStep": least over whole epochs,
"compileMs": the first step above a usual one, "peakMiB", "rowsPerSecond": of inference in batches of 4096}.
"""

import json
import os
import resource
import sys
import time

folder, peer, threads, epochs, seconds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), float(sys.argv[5])
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ[variable] = str(threads)
os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np  # noqa: E402

from engine_case import Case  # noqa: E402

case = Case(folder)
INFERENCE = 4096


class Timer:
    """Least time of a step over whole epochs; the first, which warms up, does not count."""

    def __init__(self):
        self.wall, self.cpu, self.count = float("inf"), float("inf"), 0
        self.begin = time.perf_counter()

    def epoch(self, run):
        wall, cpu = time.perf_counter(), time.process_time()
        result = run()
        if self.count > 0:
            self.wall = min(self.wall, time.perf_counter() - wall)
            self.cpu = min(self.cpu, time.process_time() - cpu)
        self.count += 1
        return result

    def enough(self):
        return self.count > epochs and time.perf_counter() - self.begin > seconds

    def result(self):
        return {"msPerStep": self.wall / case.steps * 1e3, "cpuMsPerStep": self.cpu / case.steps * 1e3}


def inference(predict):
    """Rows a second of `predict`, the best of several passes over at most a second."""
    best, begin = float("inf"), time.perf_counter()
    while best == float("inf") or time.perf_counter() - begin < 1:
        start = time.perf_counter()
        predict()
        best = min(best, time.perf_counter() - start)
    return case.rows / best


def batches(order):
    return (order[i : i + case.batch] for i in range(0, case.rows, case.batch))


def run_torch():
    import torch

    from torch_nets import build

    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    # Subnormal moments are flushed to zero, as TensorFlow and our engines do.
    torch.set_flush_denormal(True)
    images = case.data["x"].ndim == 4

    def train(layout):
        model = build(case).to(memory_format=layout)
        data = {name: torch.from_numpy(values) for name, values in case.data.items()}
        if images:
            data = {k: v.permute(0, 3, 1, 2).contiguous(memory_format=layout) for k, v in data.items()}
        fused = peer != "torch"
        optimizer = torch.optim.AdamW(model.parameters(), lr=case.rate, weight_decay=case.decay, fused=fused or None)

        def step_loss(batch):
            return model.loss(batch)

        loss_of = torch.compile(step_loss) if peer == "torch-compile" else step_loss

        def step(index):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of({name: values[index] for name, values in data.items()})
            loss.backward()
            optimizer.step()
            return loss.detach()

        def epoch(order):
            # Read once an epoch, so that nothing waits for a loss.
            return float(torch.stack([step(index) for index in batches(order)]).double().mean())

        orders = [torch.from_numpy(order.astype(np.int64)) for order in case.orders]
        start = time.perf_counter()
        state = {k: v.clone() for k, v in model.state_dict().items()}
        step(orders[0][: case.batch])
        first = time.perf_counter() - start
        model.load_state_dict(state)
        optimizer.state.clear()
        timer, losses = Timer(), []
        while len(losses) < len(orders) or not timer.enough():
            losses.append(timer.epoch(lambda: epoch(orders[len(losses) % len(orders)])))

        def predict():
            with torch.inference_mode():
                for i in range(0, case.rows, INFERENCE):
                    model({name: values[i : i + INFERENCE] for name, values in data.items()})

        result = timer.result()
        return {
            **result,
            "losses": losses[: len(orders)],
            "compileMs": max(0, first * 1e3 - result["msPerStep"]),
            "rowsPerSecond": inference(predict),
        }

    # Convolutions are quicker now in one layout, now in the other: the peer gets the better one.
    layouts = [torch.channels_last, torch.contiguous_format] if images else [torch.contiguous_format]
    return {**min((train(layout) for layout in layouts), key=lambda one: one["msPerStep"]), "version": torch.__version__}


def run_keras():
    import keras
    import tensorflow as tf

    from keras_nets import build

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(threads)

    class Losses(keras.callbacks.Callback):
        def on_epoch_begin(self, *_):
            self.start = time.perf_counter(), time.process_time()

        def on_epoch_end(self, *_):
            self.spent.append((time.perf_counter() - self.start[0], time.process_time() - self.start[1]))

    def train(jit):
        model = build(case)
        optimizer = keras.optimizers.AdamW(case.rate, weight_decay=case.decay, epsilon=1e-8)
        model.compile(optimizer=optimizer, jit_compile=jit)
        losses, start, first = [], time.perf_counter(), None
        fit = dict(batch_size=case.batch, verbose=0)
        for order in case.orders:
            data = {name: values[order] for name, values in case.data.items()}
            losses.append(float(model.fit(data, epochs=1, shuffle=False, **fit).history["loss"][0]))
            first = first or time.perf_counter() - start
        watch = Losses()
        watch.spent = []
        begin = time.perf_counter()
        while len(watch.spent) <= epochs or time.perf_counter() - begin < seconds:
            model.fit(case.data, epochs=epochs + 1, callbacks=[watch], **fit)
        # The first epoch of a call to fit prepares.
        kept = [spent for i, spent in enumerate(watch.spent) if i % (epochs + 1)]
        wall, cpu = (min(values) / case.steps * 1e3 for values in zip(*kept))
        rate = inference(lambda: model.predict(case.data, batch_size=INFERENCE, verbose=0))
        return {
            "losses": losses,
            "msPerStep": wall,
            "cpuMsPerStep": cpu,
            "compileMs": max(0, first * 1e3 - wall * case.steps),
            "rowsPerSecond": rate,
        }

    best = min((train(jit) for jit in (False, True)), key=lambda one: one["msPerStep"])
    return {**best, "version": f"{keras.__version__} on TensorFlow {tf.__version__}"}


def run_sklearn():
    import sklearn
    from sklearn.neural_network import MLPRegressor

    widths = case.widths()
    x = case.data["x"]
    model = MLPRegressor(hidden_layer_sizes=widths[1:-1], max_iter=1, batch_size=16)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x[:16], x[:16])
    weights = [w for name, w in case.params.items() if name.endswith("/weight")]
    model.coefs_, model.intercepts_ = weights, [np.zeros(w.shape[1], np.float32) for w in weights]

    def predict():
        for i in range(0, case.rows, INFERENCE):
            model.predict(x[i : i + INFERENCE])

    return {"rowsPerSecond": inference(predict), "version": sklearn.__version__}


found = {"keras": run_keras, "sklearn": run_sklearn}.get(peer, run_torch)()
found["peakMiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(found))

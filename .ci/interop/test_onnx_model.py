"""The model that wdbc-onnx.yaml leaves under out/, run by Python's onnxruntime beside the tables it leaves."""

from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
import pytest

OUT = Path(__file__).resolve().parents[2] / "out"


def table(name):
    return pq.read_table(OUT / f"wdbc-onnx-{name}.parquet").to_pandas()


@pytest.fixture(scope="module")
def session():
    return onnxruntime.InferenceSession(OUT / "model.onnx", providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def answers(session):
    raw = table("input")
    feeds = {}
    for column in session.get_inputs():
        cells = raw[column.name]
        if column.type == "tensor(string)":
            cells = cells.fillna("").astype(object)
        feeds[column.name] = cells.to_numpy().reshape(-1, 1)
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, feeds)))


def test_inputs_are_the_raw_columns(session):
    raw = table("input")
    assert sorted(column.name for column in session.get_inputs()) == sorted(raw.columns)
    types = {column.name: column.type for column in session.get_inputs()}
    assert types["mean_radius"] == "tensor(double)" and types["diagnosis"] == "tensor(string)"


def test_latents_are_those_of_hourglass(answers):
    latents = table("latents")
    ours = latents[[name for name in latents.columns if name.startswith("z_")]].to_numpy()
    assert ours.shape == answers["latent"].shape
    assert np.abs(ours - answers["latent"]).max() <= 1e-5


def test_filled_cells_are_those_of_hourglass(answers):
    raw, filled = table("input"), table("filled")
    hidden = 0
    for name in filled.columns:
        found, ours = answers[f"{name}.filled"][:, 0], filled[name].to_numpy()
        hidden += int(raw[name].isna().sum())
        if ours.dtype == np.float64:
            observed = raw[name].notna().to_numpy()
            assert np.array_equal(found[observed], raw[name].to_numpy()[observed]), name
            assert (np.abs(found - ours) <= 1e-5 * np.maximum(1, np.abs(ours))).all(), name
        else:
            assert (found == ours).all(), name
    assert hidden > 1000

"""What the quickstart leaves under out/, read by pyarrow beside its source."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "workflows/data/wdbc.parquet"
OUT = ROOT / "out"


@pytest.fixture(scope="module")
def source():
    return pq.read_table(SOURCE)


@pytest.fixture(scope="module")
def imputed():
    return pq.read_table(OUT / "wdbc-imputed.parquet")


def test_no_cell_is_missing(imputed):
    assert sum(column.null_count for column in imputed.columns) == 0


def test_rows_and_columns_are_those_of_the_source(source, imputed):
    assert imputed.num_rows == source.num_rows
    assert imputed.column_names == [name for name in source.column_names if name in imputed.column_names]


def test_physical_types_are_those_of_the_source(source, imputed):
    for name in imputed.column_names:
        assert imputed.schema.field(name).type == source.schema.field(name).type


def test_about_four_cells_in_five_are_untouched_bit_for_bit(source, imputed):
    cells = equal = 0
    for name in imputed.column_names:
        if source.schema.field(name).type != "double":
            continue
        a, b = source[name].to_pylist(), imputed[name].to_pylist()
        cells += len(a)
        equal += sum(x == y for x, y in zip(a, b))
    assert 0.77 < equal / cells < 0.83


def test_latents_have_one_row_each_and_finite_values(source):
    latents = pq.read_table(OUT / "wdbc-latents.parquet")
    z = [name for name in latents.column_names if name.startswith("z_")]
    assert latents.num_rows == source.num_rows and len(z) >= 2
    assert all(latents[name].null_count == 0 for name in z)

"""What credit-imputation leaves under out/, read by pyarrow beside its source."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def source():
    return pq.read_table(ROOT / "workflows/data/credit.parquet")


@pytest.fixture(scope="module")
def filled():
    return pq.read_table(ROOT / "out/credit-filled.parquet")


def test_no_cell_is_missing_where_455_were(source, filled):
    assert sum(column.null_count for column in source.columns) == 455
    assert sum(column.null_count for column in filled.columns) == 0


def columns(table):
    """Names and types; large_string is how pandas wished the source's text to be read, the files hold the same."""
    return [(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in table.schema]


def test_columns_types_and_rows_are_those_of_the_source(source, filled):
    assert columns(filled) == columns(source)
    assert filled.num_rows == source.num_rows


def test_every_observed_cell_is_identical(source, filled):
    for name in source.column_names:
        for row, (before, after) in enumerate(zip(source[name].to_pylist(), filled[name].to_pylist())):
            assert before is None or before == after, f"{name}, row {row}: {before} became {after}"


def test_filled_cells_lie_within_what_was_observed(source, filled):
    for name in source.column_names:
        seen = [value for value in source[name].to_pylist() if value is not None]
        new = [a for b, a in zip(source[name].to_pylist(), filled[name].to_pylist()) if b is None]
        if isinstance(seen[0], str):
            assert set(new) <= set(seen)
        else:
            assert all(min(seen) <= value <= max(seen) for value in new)

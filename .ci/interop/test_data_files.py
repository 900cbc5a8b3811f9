"""What data/ingest and data/export make of every type that pyarrow writes, in every format, read back by pyarrow."""

import datetime as dt
import decimal
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
D = decimal.Decimal
UTC = dt.timezone.utc

# name → (type, values); the first and last values are extremes, NULL is in between.
FLAT = {
    "float64": (pa.float64(), [0.1, None, float("nan"), -0.0, float("inf"), 5e-324]),
    "float32": (pa.float32(), [0.5, None, float("nan"), -0.0, float("-inf"), 1e-40]),
    "int8": (pa.int8(), [-128, None, 0, 1, 2, 127]),
    "int16": (pa.int16(), [-(2**15), None, 0, 1, 2, 2**15 - 1]),
    "int32": (pa.int32(), [-(2**31), None, 0, 1, 2, 2**31 - 1]),
    "int64": (pa.int64(), [-(2**63), None, 0, 2**53 + 1, 2, 2**63 - 1]),
    "uint8": (pa.uint8(), [0, None, 1, 2, 3, 255]),
    "uint16": (pa.uint16(), [0, None, 1, 2, 3, 2**16 - 1]),
    "uint32": (pa.uint32(), [0, None, 1, 2, 3, 2**32 - 1]),
    "uint64": (pa.uint64(), [0, None, 1, 2, 3, 2**64 - 1]),
    "bool": (pa.bool_(), [True, None, False, True, False, True]),
    "decimal(9,2)": (pa.decimal128(9, 2), [D("-9999999.99"), None, D("0.00"), D("0.01"), D("1.10"), D("9999999.99")]),
    "decimal(18,4)": (pa.decimal128(18, 4), [D("-0.0001"), None, D("0"), D("1"), D("2"), D("99999999999999.9999")]),
    "decimal(38,9)": (pa.decimal128(38, 9), [D("-1E-9"), None, D("0"), D("1"), D("2"), D("12345678901234567890123456789.123456789")]),
    "date": (pa.date32(), [dt.date(1, 1, 1), None, dt.date(1969, 12, 31), dt.date(1970, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)]),
    "time": (pa.time64("us"), [dt.time(0), None, dt.time(1, 2, 3), dt.time(4), dt.time(5), dt.time(23, 59, 59, 999999)]),
    "timestamp": (pa.timestamp("us"), [dt.datetime(1, 1, 1), None, dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2), dt.datetime(9999, 12, 31)]),
    "Größe ☃ \"quoted\", comma": (pa.string(), ["naïve", None, "日本語", "a,\"b\"\nc", " ", "🦙"]),
}  # fmt: skip
# Points in time that are easily taken for others.
ZONED = {
    "utc": (pa.timestamp("us", tz="UTC"), [dt.datetime(1950, 1, 1, tzinfo=UTC), None, dt.datetime(1970, 1, 1, tzinfo=UTC), dt.datetime(2024, 1, 1, tzinfo=UTC), dt.datetime(2024, 6, 1, tzinfo=UTC), dt.datetime(2500, 1, 1, tzinfo=UTC)]),
    "nanoseconds": (pa.timestamp("ns"), [1, None, -1, 1_700_000_000_123_456_789, 0, 2]),
}  # fmt: skip
# Without a form in CSV.
NESTED = {
    "bytes": (pa.binary(), [b"\x00\xff", None, b"", b"abc", b"\n", b'"']),
    "list": (pa.list_(pa.int32()), [[1, None, 3], None, [], [4], [5, 6], [7]]),
    "struct": (pa.struct([("a", pa.int64()), ("b c", pa.list_(pa.string()))]), [{"a": 1, "b c": ["x", None]}, None, {"a": None, "b c": None}, {"a": 2, "b c": []}, {"a": 3, "b c": ["y"]}, {"a": 4, "b c": ["z"]}]),
    "map": (pa.map_(pa.string(), pa.int32()), [[("k", 1)], None, [], [("a", None), ("b", 2)], [("c", 3)], [("d", 4)]]),
    "vector": (pa.list_(pa.uint8()), [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [254, 255]]),
}  # fmt: skip


def table(*groups):
    columns = {name: pa.array(values, type) for group in groups for name, (type, values) in group.items()}
    return pa.table(columns)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Runs one pipeline: the table in, in every format out, and the deliveries in and out again."""
    folder = tmp_path_factory.mktemp("interop")
    pq.write_table(table(FLAT, ZONED, NESTED), folder / "in.parquet")
    pq.write_table(table(FLAT, ZONED, NESTED), folder / "zstd.parquet", compression="zstd", data_page_version="2.0")
    pa.feather.write_feather(table(FLAT, ZONED, NESTED), str(folder / "in.feather"), compression="zstd")
    nested = ", ".join(f'"{name}"' for name in NESTED)
    sources = {
        "parquet": ("in.parquet", ""),
        "feather": ("in.feather", ""),
        "js": ("in.parquet", ", codec: parquetjs"),
        "js_zstd": ("zstd.parquet", ", codec: parquetjs"),
        "js_own": ("out/parquet_js.parquet", ", codec: parquetjs"),
        "own_js": ("out/parquet_js.parquet", ""),
    }
    sinks = {
        "duckdb.parquet": "",
        "arrow.arrow": "",
        "text.csv": f", exclude: [{nested}]",
        "js.parquet": ", codec: parquetjs",
    }

    def run(names):
        stages = []
        for name in names:
            uri, extra = sources[name]
            stages.append(f"  {name}: {{ uses: data/ingest, with: {{ uri: {uri}{extra} }} }}")
            for sink, more in sinks.items():
                stages.append(
                    f"  {name}_{sink.split('.')[0]}_out: {{ uses: data/export, "
                    f"with: {{ data: '${{{{ stages.{name}.data }}}}', uri: {name}_{sink}{more} }} }}"
                )
        text = "\n".join(["hourglass: v1", "name: interop", "stages:", *stages, ""])
        (folder / "interop.yaml").write_text(text)
        subprocess.run(
            ["node", ROOT / "packages/cli/bin/hourglass.mjs", "run", "interop.yaml", "--out", "out", "--plain"],
            cwd=folder,
            check=True,
            env={**os.environ, "HOURGLASS_HOME": str(folder / "store")},
        )

    run(["parquet", "feather", "js", "js_zstd"])
    run(["js_own", "own_js"])
    return folder / "out"


def same(found, expected):
    """Names, order, types and every cell, NaN being equal to NaN and −0 other than 0."""
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        a, b = found[name], expected[name]
        assert comparable(a.type) == comparable(b.type), name
        assert [cell(x) for x in values(a)] == [cell(x) for x in values(b)], name


def values(column):
    return column.cast(pa.int64()).to_pylist() if pa.types.is_timestamp(column.type) else column.to_pylist()


def comparable(type):
    """List items are called `element` by some and `item` by others."""
    if pa.types.is_list(type):
        return ("list", comparable(type.value_type))
    if pa.types.is_struct(type):
        return ("struct", [(field.name, comparable(field.type)) for field in type])
    if pa.types.is_map(type):
        return ("map", comparable(type.key_type), comparable(type.item_type))
    return type


def cell(value):
    return repr(value) if isinstance(value, float) else value


@pytest.mark.parametrize("source", ["parquet", "feather", "js", "js_zstd"])
def test_parquet_holds_every_type_exactly(delivered, source):
    path = delivered / f"{source}_duckdb.parquet"
    same(pq.read_table(path), table(FLAT, ZONED, NESTED))
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("source", ["parquet", "feather", "js", "js_zstd"])
def test_arrow_holds_every_type_exactly(delivered, source):
    with pa.memory_map(str(delivered / f"{source}_arrow.arrow")) as file:
        same(pa.ipc.open_file(file).read_all(), table(FLAT, ZONED, NESTED))


@pytest.mark.parametrize("source", ["parquet", "feather", "js", "js_zstd"])
def test_parquetjs_holds_every_type_exactly(delivered, source):
    same(pq.read_table(delivered / f"{source}_js.parquet"), table(FLAT, ZONED, NESTED))


@pytest.mark.parametrize("source", ["js_own", "own_js"])
def test_what_parquetjs_wrote_is_read_by_both_codecs(delivered, source):
    same(pq.read_table(delivered / f"{source}_duckdb.parquet"), table(FLAT, ZONED, NESTED))


def test_csv_says_every_flat_value(delivered):
    expected = table(FLAT, ZONED)
    types = {name: type for name, (type, _) in {**FLAT, **ZONED}.items() if not pa.types.is_time(type)}
    found = pa.csv.read_csv(
        delivered / "parquet_text.csv",
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types={**types, "time": pa.string()}, strings_can_be_null=True, quoted_strings_can_be_null=False,
            null_values=[""], true_values=["true"], false_values=["false"],
        ),
    )  # fmt: skip
    times = [value and value.isoformat() for value in FLAT["time"][1]]
    i = expected.column_names.index("time")
    same(found, expected.set_column(i, "time", pa.array(times)))

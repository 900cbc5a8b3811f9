"""One way of reading a Parquet file of doubles into a row-major float32 matrix, NaN where a value is missing.

Prints one JSON object: {"seconds": of the quickest repetition, "peakMiB": above what the process held before, of the
first one, "missing": cells, "sum": of the first column in double}.
"""

import json
import resource
import sys
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

peer, path, rows, slice_rows, repeats = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
one_thread = peer.endswith("-1")
if one_thread:
    pa.set_cpu_count(1)


def rss_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def pyarrow_whole():
    table = pq.read_table(path, use_threads=not one_thread)
    out = np.empty((table.num_rows, table.num_columns), np.float32)
    for j, column in enumerate(table.columns):
        out[:, j] = column.to_numpy()  # NULL becomes NaN
    yield out


def pyarrow_slices():
    file = pq.ParquetFile(path)
    out = np.empty((slice_rows, file.metadata.num_columns), np.float32)
    at = 0
    for batch in file.iter_batches(65_536, use_threads=not one_thread):
        done = 0
        while done < batch.num_rows:
            n = min(batch.num_rows - done, slice_rows - at)
            for j, column in enumerate(batch.columns):
                out[at : at + n, j] = column.slice(done, n).to_numpy(zero_copy_only=False)
            at, done = at + n, done + n
            if at == slice_rows:
                yield out
                at = 0
    if at:
        yield out[:at]


def duckdb_query():
    connection = duckdb.connect(config={"threads": 1} if one_thread else {})
    columns = [row[0] for row in connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
    select = ", ".join(f"coalesce({name}::FLOAT, 'nan'::FLOAT) AS {name}" for name in columns)
    return connection.execute(f"SELECT {select} FROM read_parquet(?)", [path]), columns


def duckdb_whole():
    result, columns = duckdb_query()
    arrays = result.fetchnumpy()
    out = np.empty((len(arrays[columns[0]]), len(columns)), np.float32)
    for j, name in enumerate(columns):
        out[:, j] = arrays[name]
    yield out


def duckdb_slices():
    result, columns = duckdb_query()
    reader = result.to_arrow_reader(65_536)
    out = np.empty((slice_rows, len(columns)), np.float32)
    at = 0
    for batch in reader:
        done = 0
        while done < batch.num_rows:
            n = min(batch.num_rows - done, slice_rows - at)
            for j, column in enumerate(batch.columns):
                out[at : at + n, j] = column.slice(done, n).to_numpy(zero_copy_only=False)
            at, done = at + n, done + n
            if at == slice_rows:
                yield out
                at = 0
    if at:
        yield out[:at]


whole = slice_rows >= rows
read = {
    "pyarrow": pyarrow_whole if whole else pyarrow_slices,
    "duckdb": duckdb_whole if whole else duckdb_slices,
}[peer.removesuffix("-1")]

base = rss_mib()
seconds, peak = float("inf"), 0.0
for i in range(repeats):
    missing, total, checking = 0, 0.0, 0.0
    start = time.perf_counter()
    for out in read():
        checked = time.perf_counter()
        for at in range(0, len(out), 65_536):  # In pieces: the mask of the whole would be part of the peak.
            piece = out[at : at + 65_536]
            missing += int(np.isnan(piece).sum())
            total += float(np.nansum(piece[:, 0], dtype=np.float64))
        checking += time.perf_counter() - checked
    del out
    seconds = min(seconds, time.perf_counter() - start - checking)
    if i == 0:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - base
print(json.dumps({"seconds": seconds, "peakMiB": peak, "missing": missing, "sum": total}))

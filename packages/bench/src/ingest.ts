import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { makeTable } from './made-table.ts';
import { runPython } from './python.ts';

export const name = 'ingest';
export const summary =
  'Parquet (zstd, 16 columns of doubles, 5 % missing) into row-major Float32, each reader in a process of its own';

/** Above this a matrix is read slice by slice into one buffer, by everyone: a whole one would be the benchmark of the memory. */
const WHOLE = 4_000_000;
const SLICE = 1_000_000;
const REPEATS = 3;

/** What one reader did. */
export interface Reading {
  /** Of the quickest of some repetitions. */
  seconds: number;
  /** Of the first one, above what the process held before. */
  peakMiB: number;
  /** Cells without a value: the readers must agree. */
  missing?: number;
  /** Sum of the first column, in double: the readers must agree. */
  sum?: number;
}

/** What a process of its own is asked to do. */
export interface ChildTask {
  what: 'ingest' | 'matrix' | 'profile';
  store: string;
  path: string;
  /** The dataset, once there is one. */
  ref?: ArtifactRef;
  rows: number;
  slice: number;
  repeats: number;
}

const OURS: Record<ChildTask['what'], string> = {
  ingest: 'Hourglass data/ingest: copy into the store',
  matrix: 'Hourglass dataset.matrix()',
  profile: 'Hourglass data/ingest: profile of all columns',
};
const PEERS: Record<string, string> = {
  'pyarrow-1': 'pyarrow read_table + NumPy, 1 thread',
  pyarrow: 'pyarrow read_table + NumPy, all threads',
  'duckdb-1': 'DuckDB (Python) fetchnumpy, 1 thread',
  duckdb: 'DuckDB (Python) fetchnumpy, all threads',
};

export async function run({ rows = 1_000_000, peers, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const chosen = Object.keys(PEERS).filter((peer) => peers?.includes(peer) ?? true);
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  try {
    log(`making ${rows} rows`);
    const path = await makeTable(folder, rows);
    const slice = rows > WHOLE ? SLICE : rows;
    const repeats = rows > WHOLE ? 1 : REPEATS;
    const readings: [string, Reading][] = [];
    for (const peer of chosen) {
      log(PEERS[peer]!);
      const args = [peer, path, rows, slice, repeats].map(String);
      readings.push([PEERS[peer]!, await runPython<Reading>('ingest_peers.py', args)]);
    }
    let ref: ArtifactRef | undefined;
    for (const what of ['ingest', 'matrix', 'profile'] as const) {
      log(OURS[what]);
      const task = {
        what,
        store: join(folder, 'store'),
        path,
        ref,
        rows,
        slice,
        repeats: what === 'matrix' ? repeats : 1,
      };
      const reading = await inChild(task);
      ref ??= reading.ref;
      readings.push([OURS[what], reading]);
    }
    requireEqual(readings);
    const duckdb = readings.find(([title]) => title === PEERS.duckdb)?.[1].seconds;
    return {
      rows: readings.map(([method, { seconds, peakMiB }]) => ({
        method,
        'rows/s': Math.round(rows / seconds),
        ...(duckdb === undefined ? {} : { '× DuckDB (Python)': Number((duckdb / seconds).toFixed(2)) }),
        'peak MiB above base': Math.round(peakMiB),
        seconds: Number(seconds.toFixed(2)),
      })),
      notes: [
        `${rows} rows, ${((await stat(path)).size / 2 ** 20).toFixed(0)} MiB, just written, so in the operating system’s cache; ` +
          (rows > WHOLE ? `read in slices of ${slice} rows into one buffer` : `the quickest of ${REPEATS}`),
        'all readers found the same missing cells and the same sum',
        'copy into the store: once, rows written to Parquet again, hashed and synced; the profile has exact quantiles up to 4 M rows',
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inChild(task: ChildTask): Promise<Reading & { ref?: ArtifactRef }> {
  const script = fileURLToPath(new URL('./ingest-child.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, script, JSON.stringify(task)]);
  return JSON.parse(stdout) as Reading & { ref?: ArtifactRef };
}

function requireEqual(readings: [string, Reading][]): void {
  const seen = readings.filter(([, { missing }]) => missing !== undefined);
  for (const [title, { missing, sum }] of seen) {
    const [first, expected] = seen[0]!;
    if (missing !== expected.missing || Math.abs(sum! - expected.sum!) > 1e-6 * Math.abs(expected.sum!) + 1)
      throw new HourglassError(
        'INTERNAL',
        `ingest: ${title} read ${missing} missing cells with the sum ${sum}, ${first} ${expected.missing} and ${expected.sum}`,
      );
  }
}

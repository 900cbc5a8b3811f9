import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import {
  openDataset,
  queryDataset,
  type Column,
  type ColumnData,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { TableSource } from '../../columns/fit.ts';

const WDBC = fileURLToPath(new URL('../../../../../workflows/data/wdbc.parquet', import.meta.url));

const DIGITS = fileURLToPath(new URL('../../../../../workflows/data/digits.parquet', import.meta.url));
const PIXELS = Array.from({ length: 64 }, (_, k) => `p${Math.floor(k / 8)}${k % 8}`);

/** A store of its own in a temporary folder. */
export async function temporaryStore(): Promise<{ artifacts: ArtifactStore; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'autoencoder-'));
  const { artifacts } = await openStore(join(folder, 'store'));
  return { artifacts, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The shipped Wisconsin table as a dataset: 569 rows, 30 numbers, `diagnosis`. */
export const wdbc = (artifacts: ArtifactStore, where = 'true'): Promise<ArtifactRef> =>
  queryDataset(artifacts, { inputs: {}, sql: `SELECT * FROM read_parquet('${WDBC}') WHERE ${where}` });

/**
 * The first of the shipped digits as a dataset: columns by `select`, from `i` (the row, from 1), `v` (its 64 pixels, a list) and
 * `label`.
 */
export async function listedDigits(artifacts: ArtifactStore, rows: number, select: string): Promise<DatasetReader> {
  const lists = `SELECT row_number() OVER () AS i, list_value(${PIXELS.join(', ')})::UTINYINT[] AS v, label FROM read_parquet('${DIGITS}') LIMIT ${rows}`;
  return openDataset(artifacts, await queryDataset(artifacts, { inputs: {}, sql: `SELECT ${select} FROM (${lists})` }));
}

export const numbers = (values: number[]): ColumnData => ({ kind: 'numeric', values: Float64Array.from(values) });

/** A category column; null is missing. */
export function names(values: (string | null)[]): ColumnData {
  const categories = [...new Set(values.filter((value) => value !== null))].sort();
  return {
    kind: 'category',
    categories,
    codes: Int32Array.from(values, (value) => (value === null ? -1 : categories.indexOf(value))),
  };
}

/** A table in memory as a source. Numbers are float and names string unless `types` says otherwise. */
export function sourceOf(
  columns: Record<string, ColumnData>,
  types: Record<string, Partial<Column>> = {},
): TableSource & { all: Table } {
  const rows =
    Object.values(columns).map((data) => (data.kind === 'numeric' ? data.values : data.codes).length)[0] ?? 0;
  const table: Table = { rows, columns };
  return {
    all: table,
    rows,
    columns: Object.entries(columns).map(([name, data]) => ({
      name,
      ...(data.kind === 'numeric'
        ? ({ type: 'float', physical: 'DOUBLE' } as const)
        : ({ type: 'string', physical: 'VARCHAR' } as const)),
      ...types[name],
    })),
    table: async () => structuredClone(table),
  };
}

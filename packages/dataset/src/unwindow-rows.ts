import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { freshName, listNames, pickColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import { storeRows } from './store-rows.ts';
import { ident, parquetScan } from './sql.ts';
import { asDouble, memoryKind } from './values.ts';
import { WINDOW_COLUMNS } from './window-rows.ts';
import { writeParquet } from './write-parquet.ts';

export interface UnwindowOptions {
  /** As given to `windowRows`. */
  time: string;
  by?: string[];
  /** Columns of the windows to bring back, such as a score. */
  columns: string[];
  /** How the windows that cover a row become one value. @default 'mean' */
  how?: 'mean' | 'max' | 'min';
}

const AGGREGATE = { mean: 'avg', max: 'max', min: 'min' };

/**
 * Brings values of windows back to the rows they were cut from: each row gets the mean, largest or smallest over the
 * windows that cover it, and none where none does. Rows, their order and columns stay.
 *
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID, SCHEMA_MISMATCH when the windows were not cut from these rows
 */
export async function unwindowRows(
  store: ArtifactStore,
  rows: ArtifactRef,
  windows: ArtifactRef,
  { time, by = [], columns, how = 'mean' }: UnwindowOptions,
): Promise<ArtifactRef> {
  const [r, w] = [await readManifest(store, rows), await readManifest(store, windows)];
  pickColumns(r.meta.columns, [time, ...by], 'Rows of windows');
  pickColumns(w.meta.columns, [...by, ...WINDOW_COLUMNS], 'Windows');
  const picked = pickColumns(w.meta.columns, columns, 'Windows, option columns');
  const bad = picked.filter((column) => memoryKind(column) !== 'numeric');
  const taken = columns.filter((name) =>
    r.meta.columns.some((column) => column.name.toLowerCase() === name.toLowerCase()),
  );
  if (bad.length > 0 || taken.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      bad.length > 0
        ? `Windows: expected numbers to bring back, found ${bad.map(({ name, physical }) => `"${name}" (${physical})`).join(', ')}.`
        : `Windows: the rows have a column ${listNames(taken)} of their own. Rename it in the windows, by data/sql for example.`,
    );
  const all = [...r.meta.columns, ...w.meta.columns];
  const [place, position] = [freshName(all, 'place'), freshName(all, 'position')].map(ident);
  const keys = by.map(ident);
  const same = (a: string, b: string): string =>
    [...keys.map((k) => `${a}.${k} IS NOT DISTINCT FROM ${b}.${k}`), `${a}.${position} = ${b}.${position}`].join(
      ' AND ',
    );
  const numbered = `(SELECT *, row_number() OVER () AS ${place}, row_number() OVER (${keys.length > 0 ? `PARTITION BY ${keys.join(', ')} ` : ''}ORDER BY ${ident(time)}) AS ${position} FROM ${parquetScan(r.parts.map(({ path }) => path))})`;
  const scan = parquetScan(w.parts.map(({ path }) => path));
  return withConnection(async (connection) => {
    const [strangers] = await connection.rows<{ n: string; all: string }>(
      `SELECT count_if(r.${ident(time)} IS DISTINCT FROM w.window_start)::VARCHAR AS n, count(*)::VARCHAR AS all
       FROM (SELECT *, window_first AS ${position} FROM ${scan}) w LEFT JOIN ${numbered} r ON ${same('w', 'r')}`,
    );
    if (strangers!.n !== '0')
      throw new HourglassError(
        'SCHEMA_MISMATCH',
        `Windows: ${strangers!.n} of ${strangers!.all} windows were not cut from these rows by "${time}"${by.length > 0 ? ` and ${listNames(by)}` : ''}. Connect the rows that data/window read, with the same options.`,
      );
    const covering = `(SELECT ${[...keys, ...picked.map((column) => `${asDouble(column)} AS ${ident(column.name)}`)].join(', ')}, unnest(range(window_first, window_last + 1)) AS ${position} FROM ${scan})`;
    const folded = `(SELECT ${[...keys, position, ...columns.map((name) => `${AGGREGATE[how]}(${ident(name)}) AS ${ident(name)}`)].join(', ')} FROM ${covering} GROUP BY ALL)`;
    const path = await store.tempPath('.parquet');
    try {
      await writeParquet(
        connection,
        `(SELECT ${[...r.meta.columns.map(({ name }) => `r.${ident(name)}`), ...columns.map((name) => `f.${ident(name)}`)].join(', ')} FROM ${numbered} r LEFT JOIN ${folded} f ON ${same('r', 'f')} ORDER BY r.${place})`,
        path,
        'Rows of windows',
      );
      return await storeRows(connection, store, path, r.meta.partitionBy);
    } finally {
      await rm(path, { force: true });
    }
  });
}

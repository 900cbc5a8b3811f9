import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart } from '@hourglass/core';
import { describe, freshName } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { HIVE_MISSING } from './hive.ts';
import { segmentRelation } from './segments.ts';
import { ident, parquetScan, text } from './sql.ts';
import { storeParquet } from './write-parquet.ts';

/** The rows of one combination of values. */
export interface Partition {
  /** Values as text, null where missing, in the order of the columns. */
  values: (string | null)[];
  rows: number;
  relation: string;
}

/** More would be a mistake of the column, and as many files. */
const MOST = 10_000;

/**
 * Cuts rows by the values of columns, combinations in ascending order, rows in their order.
 *
 * @throws COLUMN_INVALID when there are very many combinations
 */
export async function eachPartition(
  connection: Connection,
  store: ArtifactStore,
  scan: string,
  by: readonly string[],
  work: (partition: Partition) => Promise<void>,
): Promise<void> {
  const names = by.map(ident).join(', ');
  const order = by.map((name) => `${ident(name)} ASC NULLS LAST`).join(', ');
  const groups = await connection.rows<{ key: (string | null)[]; n: string }>(
    `SELECT [${by.map((name) => `${ident(name)}::VARCHAR`).join(', ')}] AS key, count(*)::VARCHAR AS n FROM ${scan} GROUP BY ${names} ORDER BY ${order} LIMIT ${MOST + 1}`,
  );
  if (groups.length > MOST)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Option partitionBy: ${by.join(', ')} would give more than ${MOST} parts. Partition by columns with fewer values.`,
    );
  const columns = await describe(connection, scan);
  const row = ident(freshName(columns, 'row'));
  const sorted = await store.tempPath('.parquet');
  try {
    await connection.run(
      `COPY (SELECT * EXCLUDE (${row}) FROM (SELECT *, row_number() OVER () AS ${row} FROM ${scan}) ORDER BY ${order}, ${row}) TO ${text(sorted)} (FORMAT parquet, COMPRESSION lz4)`,
    );
    let from = 0;
    for (const { key: values, n } of groups) {
      const rows = Number(n);
      const window = { from, to: from + rows };
      await work({ values, rows, relation: segmentRelation({ paths: [sorted], rows, window }, columns) });
      from += rows;
    }
  } finally {
    await rm(sorted, { force: true });
  }
}

/** Cuts a Parquet file into parts. The key is the value; of several columns, the values joined by `/`. */
export async function storePartitions(
  connection: Connection,
  store: ArtifactStore,
  path: string,
  by: string[],
): Promise<(ArtifactPart & { rows: number })[]> {
  const parts: (ArtifactPart & { rows: number })[] = [];
  const seen = new Set<string>();
  await eachPartition(connection, store, parquetScan([path]), by, async ({ values, rows, relation }) => {
    const key = values.map((value) => value ?? HIVE_MISSING).join('/');
    if (seen.has(key))
      throw new HourglassError(
        'COLUMN_INVALID',
        `Option partitionBy: two combinations of ${by.join(', ')} give the same key "${key}". Partition by other columns.`,
      );
    seen.add(key);
    parts.push({ key, rows, ...(await storeParquet(connection, store, relation, `Partition ${key}`)) });
  });
  return parts;
}

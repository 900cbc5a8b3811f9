import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { HIVE_MISSING } from './hive.ts';
import { ident, parquetScan, text } from './sql.ts';
import { storeParquet } from './write-parquet.ts';

/**
 * Cuts a Parquet file into one part for each combination of values, keys in ascending order, rows in their order.
 * The key is the value; of several columns, the values joined by `/`.
 */
export async function storePartitions(
  connection: Connection,
  store: ArtifactStore,
  path: string,
  by: string[],
): Promise<(ArtifactPart & { rows: number })[]> {
  const names = by.map(ident).join(', ');
  const sortedPath = await store.tempPath('.parquet');
  try {
    await connection.run(
      `COPY (SELECT * EXCLUDE (_row) FROM (SELECT *, row_number() OVER () AS _row FROM ${parquetScan([path])}) ORDER BY ${by.map((name) => `${ident(name)} ASC NULLS LAST`).join(', ')}, _row) TO ${text(sortedPath)} (FORMAT parquet, COMPRESSION lz4)`,
    );
    const groups = await connection.rows<{ key: (string | null)[]; n: string }>(
      `SELECT [${by.map((name) => `${ident(name)}::VARCHAR`).join(', ')}] AS key, count(*)::VARCHAR AS n FROM ${parquetScan([path])} GROUP BY ${names} ORDER BY ${by.map((name) => `${ident(name)} ASC NULLS LAST`).join(', ')}`,
    );
    const parts: (ArtifactPart & { rows: number })[] = [];
    const seen = new Set<string>();
    let from = 0;
    for (const { key: values, n } of groups) {
      const key = values.map((value) => value ?? HIVE_MISSING).join('/');
      if (seen.has(key))
        throw new HourglassError(
          'COLUMN_INVALID',
          `Option partitionBy: two combinations of ${by.join(', ')} give the same key "${key}". Partition by other columns.`,
        );
      seen.add(key);
      const rows = Number(n);
      const slice = `(SELECT * FROM ${parquetScan([sortedPath])} LIMIT ${rows} OFFSET ${from})`;
      parts.push({ key, rows, ...(await storeParquet(connection, store, slice, `Partition ${key}`)) });
      from += rows;
    }
    return parts;
  } finally {
    await rm(sortedPath, { force: true });
  }
}

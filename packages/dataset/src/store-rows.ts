import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { describe, pickColumns } from './columns.ts';
import { putDataset } from './dataset-manifest.ts';
import type { Connection } from './duckdb.ts';
import { storePartitions } from './partition.ts';
import { parquetScan } from './sql.ts';

/** Takes a finished file into the store, cut into parts where asked. */
export async function storeRows(
  connection: Connection,
  store: ArtifactStore,
  path: string,
  partitionBy: string[] = [],
): Promise<ArtifactRef> {
  if (partitionBy.length === 0) {
    const rows = await countRows(connection, path);
    return putDataset(connection, store, [{ key: 'all', rows, ...(await store.putFile(path)) }]);
  }
  pickColumns(await describe(connection, parquetScan([path])), partitionBy, 'Option partitionBy');
  return putDataset(connection, store, await storePartitions(connection, store, path, partitionBy), { partitionBy });
}

/** Rows of a Parquet file, by its footer. */
export async function countRows(connection: Connection, path: string): Promise<number> {
  const [count] = await connection.rows<{ n: string }>(`SELECT count(*)::VARCHAR AS n FROM ${parquetScan([path])}`);
  return Number(count!.n);
}

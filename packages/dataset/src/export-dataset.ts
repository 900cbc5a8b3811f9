import { deliverFile, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import { parquetScan, text } from './sql.ts';
import { writeParquet } from './write-parquet.ts';

export type ExportFormat = 'parquet' | 'csv';

/**
 * Writes a dataset to one local file, whole or not at all: a temporary name beside it, fsync, rename. Columns, physical
 * types, order and values are those of the dataset.
 *
 * @throws SINK_UNWRITABLE, DISK_FULL
 */
export async function exportDataset(
  store: ArtifactStore,
  ref: ArtifactRef,
  path: string,
  format: ExportFormat,
): Promise<{ bytes: number; digest: string }> {
  const manifest = await readManifest(store, ref);
  return deliverFile(path, (aside) =>
    withConnection(async (connection) => {
      const relation = parquetScan(manifest.parts.map((part) => part.path));
      if (format === 'parquet') await writeParquet(connection, relation, aside, `Export to ${path}`);
      else await connection.run(`COPY (SELECT * FROM ${relation}) TO ${text(aside)} (FORMAT csv, HEADER)`);
    }),
  );
}

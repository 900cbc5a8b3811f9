import { deliverFile, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { chooseColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import type { ParquetCodec } from './source-format.ts';
import { ident, parquetScan } from './sql.ts';
import { writeArrowFile } from './write-arrow.ts';
import { writeCsv } from './write-csv.ts';
import { writeParquet } from './write-parquet.ts';

export const EXPORT_FORMATS = ['parquet', 'csv', 'arrow'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportOptions {
  format: ExportFormat;
  /** What writes Parquet. @default 'duckdb' */
  codec?: ParquetCodec;
  /** Columns to write, in this order. @default all */
  columns?: string[];
  exclude?: string[];
}

/** What came to lie at the destination. */
export interface Exported {
  rows: number;
  columns: number;
  bytes: number;
  /** sha256 of the file. */
  digest: string;
}

/**
 * Writes a dataset to one local file, whole or not at all. Columns, physical types, order and values are those of the
 * dataset; what a format cannot hold exactly is refused by name.
 *
 * @throws SINK_UNWRITABLE, DISK_FULL, COLUMN_NOT_FOUND, COLUMN_INVALID
 */
export async function exportDataset(
  store: ArtifactStore,
  ref: ArtifactRef,
  path: string,
  options: ExportOptions,
): Promise<Exported> {
  const { meta, parts } = await readManifest(store, ref);
  const where = `Export to ${path}`;
  const columns = chooseColumns(meta.columns, options, where);
  const names = columns.map(({ name }) => ident(name)).join(', ');
  const relation = `(SELECT ${names} FROM ${parquetScan(parts.map((part) => part.path))})`;
  const file = await deliverFile(path, async (aside) => {
    if (options.format === 'arrow') return writeArrowFile(columns, parts, aside, meta.columns);
    if (options.format === 'parquet' && options.codec === 'parquetjs') {
      const { writeParquetjs } = await import('./parquetjs/write.ts');
      return writeParquetjs(columns, parts, aside, where);
    }
    return withConnection((connection) =>
      options.format === 'csv'
        ? writeCsv(connection, relation, columns, aside, where)
        : writeParquet(connection, relation, aside, where),
    );
  });
  return { rows: parts.reduce((sum, part) => sum + part.rows, 0), columns: columns.length, ...file };
}

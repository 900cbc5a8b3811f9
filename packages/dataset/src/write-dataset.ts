import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { putDataset } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import { stageTables, type WriteColumn } from './stage-tables.ts';
import type { DatasetReader, Table } from './types.ts';
import { refuseCaseTwins, storeParquet } from './write-parquet.ts';

/** One part of a dataset to write: its tables follow one another. */
export interface WritePart {
  /** @default 'all' */
  key?: string;
  tables: Iterable<Table> | AsyncIterable<Table>;
}

/**
 * Parts with the keys of a dataset's, in its order, made one after the other.
 * @param tables the rows of a part; `firstRow` counts from the start of the dataset
 */
export function* eachPart(
  { parts }: Pick<DatasetReader, 'parts'>,
  tables: (part: DatasetReader['parts'][number], firstRow: number) => WritePart['tables'],
): Generator<WritePart> {
  let firstRow = 0;
  for (const part of parts) {
    yield { key: part.key, tables: tables(part, firstRow) };
    firstRow += part.rows;
  }
}

export interface WriteDatasetOptions {
  /** In order; numbers are cast to `physical` (rounded for integers, milliseconds for points in time), NaN and code −1 become NULL. */
  columns: WriteColumn[];
  parts: Iterable<WritePart> | AsyncIterable<WritePart>;
  partitionBy?: string[];
}

/**
 * Writes tables from memory as a dataset, holding a bounded number of rows at a time.
 *
 * @throws CALL_INVALID (columns and tables that do not fit), COLUMN_INVALID (a value its physical type cannot hold)
 */
export async function writeDataset(store: ArtifactStore, options: WriteDatasetOptions): Promise<ArtifactRef> {
  const { columns } = options;
  if (columns.length === 0)
    throw new HourglassError('CALL_INVALID', 'Writing a dataset: expected at least one column.');
  refuseCaseTwins(
    columns.map((column) => column.name),
    'Writing a dataset',
  );
  return withConnection(async (connection) => {
    const parts: (ArtifactPart & { rows: number })[] = [];
    for await (const { key = 'all', tables } of options.parts) {
      const { relation, rows, files } = await stageTables(connection, columns, tables, () =>
        store.tempPath('.parquet'),
      );
      try {
        const blob = await storeParquet(connection, store, relation, 'Writing a dataset').catch((error: unknown) => {
          throw unwritable(error);
        });
        parts.push({ key, ...blob, rows });
      } finally {
        await Promise.all(files.map((file) => rm(file, { force: true })));
      }
    }
    return putDataset(connection, store, parts, options.partitionBy ? { partitionBy: options.partitionBy } : {});
  });
}

/** A value outside its type is the caller's mistake, not a broken source. */
function unwritable(error: unknown): unknown {
  if (!(error instanceof HourglassError) || error.code !== 'SOURCE_INVALID') return error;
  return new HourglassError('COLUMN_INVALID', error.message, { details: error.details, cause: error });
}

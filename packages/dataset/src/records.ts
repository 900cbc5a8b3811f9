import { rm } from 'node:fs/promises';
import {
  blobValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBStructValue,
  listValue,
  structValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { pickColumns } from './columns.ts';
import { putDataset, readManifest } from './dataset-manifest.ts';
import { chunksOf, connect, withConnection } from './duckdb.ts';
import { ident, parquetScan } from './sql.ts';
import { openStaging } from './staging.ts';
import { ROW_GROUP, storeParquet } from './write-parquet.ts';

/** A cell with nothing converted: bytes, lists and structures as they are, `null` where missing. */
export type Cell =
  null | boolean | number | bigint | string | Uint8Array | readonly Cell[] | { readonly [field: string]: Cell };
export type DataRecord = Record<string, Cell>;

/** Bytes held before rows go to a temporary file. */
const FLUSH_BYTES = 64 * 2 ** 20;
/** Rows of a row group of records with bytes: a reader holds one. */
const BYTES_ROW_GROUP = 2048;

export interface WriteRecordsOptions {
  /** In order, with the physical types as DuckDB writes them: `STRUCT(bytes BLOB, path VARCHAR)`. */
  columns: { name: string; physical: string }[];
  records: Iterable<DataRecord> | AsyncIterable<DataRecord>;
}

/** Writes rows with cells of any type (pictures, lists, structures) as a dataset, in bounded memory. */
export async function writeRecords(
  store: ArtifactStore,
  { columns, records }: WriteRecordsOptions,
): Promise<ArtifactRef> {
  const heavy = columns.some(({ physical }) => physical.includes('BLOB'));
  return withConnection(async (connection) => {
    const staging = await openStaging(connection, 'records', columns, () => store.tempPath('.parquet'));
    let pending: DataRecord[] = [];
    let bytes = 0;
    const append = async (): Promise<void> => {
      const rows = pending;
      await staging.append(rows.length, (chunk, from, n) =>
        columns.forEach(({ name }, j) => {
          const vector = chunk.getColumnVector(j);
          for (let i = 0; i < n; i++) vector.setItem(i, toDuck(rows[from + i]![name] ?? null) as never);
        }),
      );
      if (bytes >= FLUSH_BYTES) await staging.spill();
      pending = [];
      bytes = 0;
    };
    for await (const record of records) {
      pending.push(record);
      for (const { name } of columns) bytes += weight(record[name] ?? null);
      if (bytes >= FLUSH_BYTES || pending.length >= ROW_GROUP) await append();
    }
    await append();
    const { relation, rows, files } = await staging.finish();
    try {
      const blob = await storeParquet(
        connection,
        store,
        relation,
        'Writing records',
        heavy ? BYTES_ROW_GROUP : ROW_GROUP,
      );
      return await putDataset(connection, store, [{ key: 'all', rows, ...blob }]);
    } finally {
      await Promise.all(files.map((file) => rm(file, { force: true })));
    }
  });
}

/** The rows of a dataset in order, cells with nothing converted; a chunk of at most 2 048 is in memory. @throws COLUMN_NOT_FOUND */
export async function* readRecords(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
  columns?: readonly string[],
): AsyncGenerator<DataRecord> {
  const { meta, parts } = await readManifest(store, ref);
  const picked = columns === undefined ? meta.columns : pickColumns(meta.columns, columns, 'Records of a dataset');
  const select = picked.map(({ name }) => ident(name)).join(', ');
  const connection = await connect();
  try {
    for (const { path } of parts)
      for await (const chunk of chunksOf(await connection.stream(`SELECT ${select} FROM ${parquetScan([path])}`))) {
        const values = picked.map((_, j) => chunk.getColumnValues(j));
        for (let i = 0; i < chunk.rowCount; i++)
          yield Object.fromEntries(picked.map(({ name }, j) => [name, toCell(values[j]![i]!)]));
      }
  } finally {
    connection.close();
  }
}

function weight(cell: Cell): number {
  if (cell instanceof Uint8Array) return cell.byteLength;
  if (typeof cell === 'string') return cell.length;
  if (Array.isArray(cell)) return cell.reduce((sum: number, item: Cell) => sum + weight(item), 0);
  if (cell !== null && typeof cell === 'object')
    return Object.values(cell as Record<string, Cell>).reduce((sum: number, item) => sum + weight(item), 0);
  return 8;
}

function toDuck(cell: Cell): DuckDBValue {
  if (cell === null || typeof cell !== 'object') return cell;
  if (cell instanceof Uint8Array) return blobValue(cell);
  if (Array.isArray(cell)) return listValue(cell.map(toDuck));
  return structValue(
    Object.fromEntries(Object.entries(cell as Record<string, Cell>).map(([field, item]) => [field, toDuck(item)])),
  );
}

function toCell(value: DuckDBValue): Cell {
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes);
  if (value instanceof DuckDBListValue) return value.items.map(toCell);
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([field, item]) => [field, toCell(item)]));
  return value as Cell;
}

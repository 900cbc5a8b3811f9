import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { putDataset, readManifest } from './dataset-manifest.ts';
import { freshName } from './columns.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { ident, parquetScan } from './sql.ts';
import { hidesRowNumbers } from './segments.ts';
import { stageTables, type WriteColumn } from './stage-tables.ts';
import type { Table } from './types.ts';
import { countRows } from './store-rows.ts';
import { storeParquet } from './write-parquet.ts';

export interface QueryDatasetOptions {
  /** Datasets by the name the query knows them by. */
  inputs: Record<string, ArtifactRef>;
  /** Tables from memory, by name beside the inputs. */
  tables?: Record<string, TableSource>;
  /**
   * Inputs of one part that get one column more, of that name, which is none of theirs: the row's number, from 0. By it rows
   * are found without reading the others.
   */
  numbered?: Record<string, string>;
  /** A SELECT over those names, trusted (made by code, not by users). */
  sql: string;
  /** Runs the query once for each part, with the parts of all inputs side by side (same keys, same order). @default false */
  perPart?: boolean;
  partitionBy?: string[];
  /** Rows of a row group, which a writer and a reader hold in memory: few where rows are long lists. @default 122 880 */
  rowGroup?: number;
}

/** Rows made by code, as {@link writeDataset} takes them. */
export interface TableSource {
  columns: WriteColumn[];
  tables: Iterable<Table> | AsyncIterable<Table>;
}

/**
 * Writes the result of a query over datasets as a dataset. Rows keep their order unless the query changes it;
 * `POSITIONAL JOIN` puts datasets of equal parts side by side.
 *
 * @throws SCHEMA_MISMATCH when the parts of the inputs differ; CALL_INVALID for numbers of an input of several parts
 */
export async function queryDataset(store: ArtifactStore, options: QueryDatasetOptions): Promise<ArtifactRef> {
  const { inputs, sql, tables = {}, numbered = {}, perPart = false, rowGroup } = options;
  const names = Object.keys(inputs);
  const manifests = await Promise.all(names.map((name) => readManifest(store, inputs[name]!)));
  const first = manifests[0];
  if (perPart && first !== undefined) requireEqualParts(names, manifests);
  const partitionBy = options.partitionBy ?? (perPart ? first?.meta.partitionBy : undefined);
  for (const [name, column] of Object.entries(numbered))
    requireNumberable(name, column, manifests[names.indexOf(name)]);
  return withConnection(async (connection) => {
    const parts: (ArtifactPart & { rows: number })[] = [];
    const keys = perPart && first !== undefined ? first.parts.map((part) => part.key) : ['all'];
    const view = (name: string, select: string): Promise<void> =>
      connection.run(`CREATE OR REPLACE TEMP VIEW ${ident(name)} AS SELECT ${select}`);
    const files: string[] = [];
    try {
      for (const [name, { columns, tables: rows }] of Object.entries(tables)) {
        const staged = await stageTables(connection, columns, rows, () => store.tempPath('.parquet'), `staged_${name}`);
        files.push(...staged.files);
        await view(name, `* FROM ${staged.relation}`);
      }
      for (const [i, key] of keys.entries()) {
        for (const [j, name] of names.entries()) {
          const paths = perPart ? [manifests[j]!.parts[i]!.path] : manifests[j]!.parts.map((part) => part.path);
          const place = hidesRowNumbers(manifests[j]!.meta.columns) ? 'row_number() OVER () - 1' : 'file_row_number';
          const number = numbered[name] === undefined ? '' : `, ${place} AS ${ident(numbered[name])}`;
          await view(name, `*${number} FROM ${parquetScan(paths)}`);
        }
        parts.push({ key, ...(await storeCounted(connection, store, `(${sql})`, 'Query over datasets', rowGroup)) });
      }
    } finally {
      await Promise.all(files.map((file) => rm(file, { force: true })));
    }
    return putDataset(connection, store, parts, partitionBy ? { partitionBy } : {});
  });
}

type Manifest = Awaited<ReturnType<typeof readManifest>>;

function requireNumberable(name: string, column: string, input: Manifest | undefined): void {
  if (input?.parts.length !== 1)
    throw new HourglassError(
      'CALL_INVALID',
      `Query over datasets: rows of "${name}" can be numbered only in one part, it has ${input?.parts.length ?? 0}.`,
    );
  if (freshName(input.meta.columns, column) !== column)
    throw new HourglassError(
      'CALL_INVALID',
      `Query over datasets: "${name}" has a column "${column}" already. Number its rows by another name.`,
    );
}

/** Stores a relation and counts its rows from the file's footer. */
export async function storeCounted(
  connection: Connection,
  store: ArtifactStore,
  relation: string,
  where: string,
  rowGroup?: number,
): Promise<Omit<ArtifactPart, 'key'> & { rows: number }> {
  const blob = await storeParquet(connection, store, relation, where, rowGroup);
  return { ...blob, rows: await countRows(connection, await store.localPath(blob.digest)) };
}

function requireEqualParts(names: string[], manifests: Manifest[]): void {
  const shape = (i: number): string => manifests[i]!.parts.map((part) => `${part.key}:${part.rows}`).join('\n');
  const other = manifests.findIndex((_, i) => shape(i) !== shape(0));
  if (other > 0) {
    const of = (i: number): string =>
      `"${names[i]}" has ${manifests[i]!.parts.length} parts, ${manifests[i]!.parts.reduce((sum, part) => sum + part.rows, 0)} rows`;
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `Datasets side by side: expected the same parts with the same rows, found ${of(0)} and ${of(other)}. Use datasets made from one another.`,
    );
  }
}

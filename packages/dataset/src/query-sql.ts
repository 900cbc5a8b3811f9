import { rm } from 'node:fs/promises';
import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { checkQuery } from './check-query.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection, withSandbox, type Connection } from './duckdb.ts';
import { reason } from './duckdb-error.ts';
import { countRows, storeRows } from './store-rows.ts';
import { ident, parquetScan } from './sql.ts';
import { refuseCaseTwins, writeParquet } from './write-parquet.ts';

export interface QuerySqlOptions {
  /** Datasets by the name the query knows them by. */
  inputs: Record<string, ArtifactRef>;
  /** One SELECT, written by a person. */
  sql: string;
  partitionBy?: string[];
  /** Whether a result without rows is one. @default false */
  allowEmpty?: boolean;
  /** For messages. @default 'sql' */
  option?: string;
}

/**
 * Writes the result of a query that a person wrote over datasets as a dataset. It runs in a database of its own, on one
 * thread, that can reach nothing but these datasets: equal inputs give equal bytes.
 *
 * @throws OPTION_INVALID (not one SELECT, other data, the moment, names that do not exist), COLUMN_INVALID (a value that
 * cannot be converted, a type that cannot be stored), DATA_INSUFFICIENT (no rows), OUT_OF_MEMORY, DISK_FULL
 */
export async function querySql(store: ArtifactStore, options: QuerySqlOptions): Promise<ArtifactRef> {
  const { inputs, sql, option = 'sql' } = options;
  const names = Object.keys(inputs);
  const manifests = await Promise.all(names.map((name) => readManifest(store, inputs[name]!)));
  const output = await store.tempPath('.parquet');
  const paths = manifests.flatMap(({ parts }) => parts.map(({ path }) => path));
  try {
    await withSandbox([...paths, output], async (sandbox) => {
      const tables = names.map((name, i) => [name, manifests[i]!.meta.columns.map((column) => column.name)] as const);
      await checkQuery(sandbox, sql, Object.fromEntries(tables), option);
      for (const [i, name] of names.entries())
        await sandbox.run(
          `CREATE VIEW ${ident(name)} AS SELECT * FROM ${parquetScan(manifests[i]!.parts.map(({ path }) => path))}`,
        );
      await run(sandbox, sql, output, option);
    });
    return await withConnection(async (connection) => {
      const empty = (await countRows(connection, output)) === 0;
      if (empty && options.allowEmpty !== true)
        throw new HourglassError(
          'DATA_INSUFFICIENT',
          `Option ${option}: the query gives no rows (${names.map((name, i) => `"${name}" has ${manifests[i]!.parts.reduce((sum, part) => sum + part.rows, 0)}`).join(', ')}). Relax its conditions, or set allowEmpty: true.`,
        );
      // No rows are no parts: they are one part without rows.
      return storeRows(connection, store, output, empty ? [] : options.partitionBy);
    });
  } finally {
    await rm(output, { force: true });
  }
}

async function run(sandbox: Connection, sql: string, output: string, option: string): Promise<void> {
  const query = sql.replace(/;\s*$/, '');
  const described = await sandbox.rows<{ column_name: string }>(`DESCRIBE ${query}`).catch((error: unknown) => {
    throw new HourglassError('OPTION_INVALID', `Option ${option}: ${reason((error as Error).cause ?? error)}`, {
      details: { option },
      cause: error,
    });
  });
  // Read from a subquery, the second of two equal names would be renamed without a word.
  refuseCaseTwins(
    described.map((column) => column.column_name),
    `Option ${option}`,
  );
  await writeParquet(sandbox, `(${query}\n)`, output, `Option ${option}`).catch((error: unknown) => {
    if (!(error instanceof HourglassError) || error.code !== 'SOURCE_INVALID') throw error;
    throw new HourglassError('COLUMN_INVALID', error.message, { details: { option }, cause: error });
  });
}

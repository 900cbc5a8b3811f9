import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { putDataset, readManifest } from './dataset-manifest.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { ident, parquetScan } from './sql.ts';
import { countRows } from './store-rows.ts';
import { storeParquet } from './write-parquet.ts';

export interface QueryDatasetOptions {
  /** Datasets by the name the query knows them by. */
  inputs: Record<string, ArtifactRef>;
  /** A SELECT over those names, trusted (made by code, not by users). */
  sql: string;
  /** Runs the query once for each part, with the parts of all inputs side by side (same keys, same order). @default false */
  perPart?: boolean;
  partitionBy?: string[];
}

/**
 * Writes the result of a query over datasets as a dataset. Rows keep their order unless the query changes it;
 * `POSITIONAL JOIN` puts datasets of equal parts side by side.
 *
 * @throws SCHEMA_MISMATCH when the parts of the inputs differ
 */
export async function queryDataset(store: ArtifactStore, options: QueryDatasetOptions): Promise<ArtifactRef> {
  const { inputs, sql, perPart = false } = options;
  const names = Object.keys(inputs);
  const manifests = await Promise.all(names.map((name) => readManifest(store, inputs[name]!)));
  const first = manifests[0];
  if (perPart && first !== undefined) requireEqualParts(names, manifests);
  const partitionBy = options.partitionBy ?? (perPart ? first?.meta.partitionBy : undefined);
  return withConnection(async (connection) => {
    const parts: (ArtifactPart & { rows: number })[] = [];
    const keys = perPart && first !== undefined ? first.parts.map((part) => part.key) : ['all'];
    for (const [i, key] of keys.entries()) {
      for (const [j, name] of names.entries()) {
        const paths = perPart ? [manifests[j]!.parts[i]!.path] : manifests[j]!.parts.map((part) => part.path);
        await connection.run(`CREATE OR REPLACE TEMP VIEW ${ident(name)} AS SELECT * FROM ${parquetScan(paths)}`);
      }
      parts.push({ key, ...(await storeCounted(connection, store, `(${sql})`, 'Query over datasets')) });
    }
    return putDataset(connection, store, parts, partitionBy ? { partitionBy } : {});
  });
}

/** Stores a relation and counts its rows from the file's footer. */
export async function storeCounted(
  connection: Connection,
  store: ArtifactStore,
  relation: string,
  where: string,
): Promise<Omit<ArtifactPart, 'key'> & { rows: number }> {
  const blob = await storeParquet(connection, store, relation, where);
  return { ...blob, rows: await countRows(connection, await store.localPath(blob.digest)) };
}

function requireEqualParts(names: string[], manifests: Awaited<ReturnType<typeof readManifest>>[]): void {
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

import { createHash } from 'node:crypto';
import type { ArtifactStore } from '@hourglass/artifacts';
import { canonicalJson, HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { inferColumns } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { parquetScan } from './sql.ts';
import type { Column, DatasetMeta } from './types.ts';

/** Stores parts that are in the store already as one dataset. Logical types are looked up over all parts. */
export async function putDataset(
  connection: Connection,
  store: ArtifactStore,
  parts: (ArtifactPart & { rows: number })[],
  meta: Omit<DatasetMeta, 'columns'> = {},
): Promise<ArtifactRef> {
  if (parts.length === 0)
    throw new HourglassError('DATA_INSUFFICIENT', 'Dataset: expected at least one part, found none.');
  const keys = new Set(parts.map((part) => part.key));
  if (keys.size < parts.length)
    throw new HourglassError(
      'CALL_INVALID',
      `Dataset: part keys must differ, found ${parts.length - keys.size} repeated.`,
    );
  const paths = await Promise.all(parts.map((part) => store.localPath(part.digest)));
  const columns = await inferColumns(connection, parquetScan(paths));
  return putWithColumns(store, parts, columns, meta);
}

/** The same when the columns are known. */
export async function putWithColumns(
  store: ArtifactStore,
  parts: (ArtifactPart & { rows: number })[],
  columns: Column[],
  meta: Omit<DatasetMeta, 'columns'> = {},
): Promise<ArtifactRef> {
  const ref = await store.put({ kind: 'dataset', parts, meta: { ...meta, columns } });
  return { ...ref, rows: parts.reduce((sum, part) => sum + part.rows, 0), schemaDigest: schemaDigest(columns) };
}

/** Of names and physical types: what a model or an append must find again. */
export function schemaDigest(columns: Column[]): string {
  return createHash('sha256')
    .update(canonicalJson(columns.map(({ name, physical }) => [name, physical])))
    .digest('hex');
}

/** The parts of a dataset as local files, with their columns. @throws ARTIFACT_NOT_FOUND, INPUT_INVALID */
export async function readManifest(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<{
  meta: DatasetMeta;
  parts: { key: string; rows: number; digest: string; bytes: number; path: string }[];
}> {
  const manifest = await store.get(ref, 'dataset');
  const parts = await Promise.all(
    manifest.parts.map(async ({ key, digest, bytes, rows = 0 }) => ({
      key,
      rows,
      digest,
      bytes,
      path: await store.localPath(digest),
    })),
  );
  return { meta: manifest.meta as DatasetMeta, parts };
}

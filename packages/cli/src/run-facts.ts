import { stat } from 'node:fs/promises';
import type { Store } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import type { StageRow } from '@hourglass/runtime';

export interface StageMetrics {
  path: string;
  output: string;
  value: unknown;
}

/** Metrics of the stages that have some, read from the store; those that were collected since are left out. */
export async function readMetrics(store: Store, rows: readonly StageRow[]): Promise<StageMetrics[]> {
  const wanted = rows.flatMap(({ path, outputs }) =>
    Object.entries(outputs).flatMap(([output, ref]) =>
      Array.isArray(ref) || ref.kind !== 'metrics' ? [] : [{ path, output, ref }],
    ),
  );
  const read = await Promise.all(
    wanted.map(async ({ path, output, ref }) => {
      const value = await metricsValue(store, ref);
      return value === undefined ? [] : [{ path, output, value }];
    }),
  );
  return read.flat();
}

async function metricsValue(store: Store, ref: ArtifactRef): Promise<unknown> {
  try {
    return (await store.artifacts.get(ref, 'metrics')).meta.value;
  } catch {
    return undefined;
  }
}

export interface WrittenFile {
  /** Absolute. */
  path: string;
  bytes?: number;
  rows?: number;
  /** It is not there any more. */
  missing?: boolean;
}

/** Size of a destination as it is now. */
export async function lookAtFile(path: string, rows?: number): Promise<WrittenFile> {
  // Object storage is asked when its digest is needed, not for a line of a summary.
  if (/^s3:\/\//i.test(path)) return { path, rows };
  try {
    const info = await stat(path);
    return { path, rows, ...(info.isDirectory() ? {} : { bytes: info.size }) };
  } catch {
    return { path, rows, missing: true };
  }
}

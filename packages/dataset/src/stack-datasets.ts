import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { putDataset } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';

/**
 * Datasets of equal columns as one, in order, without copying: its parts are theirs under keys of their own.
 *
 * @param keyOf part key in the result, from the place of the dataset and the part's key in it
 * @throws CALL_INVALID when keys repeat, DATA_INSUFFICIENT without any part
 */
export async function stackDatasets(
  store: ArtifactStore,
  refs: readonly ArtifactRef[],
  keyOf: (place: number, key: string, parts: number) => string,
): Promise<ArtifactRef> {
  const manifests = await Promise.all(refs.map((ref) => store.get(ref, 'dataset')));
  const parts = manifests.flatMap(({ parts }, place) =>
    parts.map((part) => ({ ...part, rows: part.rows ?? 0, key: keyOf(place, part.key, parts.length) })),
  );
  return withConnection((connection) => putDataset(connection, store, parts));
}

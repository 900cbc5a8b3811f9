import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { queryDataset } from '@hourglass/dataset';

/** The first rows of a dataset. */
export const takeFirst = (store: ArtifactStore, data: ArtifactRef, rows: number): Promise<ArtifactRef> =>
  queryDataset(store, { inputs: { data }, sql: `SELECT * FROM data LIMIT ${rows}` });

import { fileURLToPath } from 'node:url';
import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { queryDataset } from '@hourglass/dataset';

const DIGITS = fileURLToPath(new URL('../../../../../workflows/data/digits.parquet', import.meta.url));

/** The shipped digits from … to (from 1) as a dataset: 64 pixels, `label`, and a `name` each, the prefix and a number from 1. */
export const digits = (store: ArtifactStore, prefix: string, from: number, to: number): Promise<ArtifactRef> =>
  queryDataset(store, {
    inputs: {},
    sql: `SELECT '${prefix}' || (i - ${from - 1}) AS name, * EXCLUDE (i) FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${DIGITS}')) WHERE i BETWEEN ${from} AND ${to} ORDER BY i`,
  });

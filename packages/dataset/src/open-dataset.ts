import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { readArrow } from './arrow.ts';
import { readManifest } from './dataset-manifest.ts';
import { readMatrix } from './matrix.ts';
import { readTable } from './table.ts';
import type { DatasetReader, TableChunk } from './types.ts';

/** Opens a dataset artifact for reading. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, INPUT_INVALID (not a dataset) */
export async function openDataset(store: ArtifactStore, ref: ArtifactRef): Promise<DatasetReader> {
  const { meta, parts } = await readManifest(store, ref);
  const { columns, partitionBy } = meta;
  async function* chunks(
    names?: string[],
    { rows = 65_536, part }: { rows?: number; part?: string } = {},
  ): AsyncGenerator<TableChunk> {
    for (const { key, rows: total } of parts) {
      if (part !== undefined && part !== key) continue;
      for (let offset = 0; offset < total; offset += rows)
        yield { part: key, offset, ...(await readTable(columns, parts, names, { part: key, offset, limit: rows })) };
    }
  }
  return {
    ref,
    columns,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    parts: parts.map(({ key, rows, digest }) => ({ key, rows, digest })),
    partitionBy,
    matrix: (names, range) => readMatrix(columns, parts, names, range),
    table: (names, range) => readTable(columns, parts, names, range),
    chunks,
    arrow: (names, range) => readArrow(columns, parts, names, range),
  };
}

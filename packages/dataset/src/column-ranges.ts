import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { pickColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection } from './duckdb.ts';
import { parquetScan } from './sql.ts';
import { isOrdered, missingIn, smallestAndLargest } from './column-facts.ts';
import type { Column } from './types.ts';

/** Cells without a value, and the bounds of the finite ones. */
export interface ColumnRange {
  missing: number;
  /** Numbers as such, points in time and integers or decimals beyond double as text; undefined where there are none. */
  min?: number | string;
  max?: number | string;
}

/** Exact, over all rows, in one pass and bounded memory. */
export async function columnRanges(
  store: ArtifactStore,
  ref: ArtifactRef,
  names: readonly string[],
): Promise<Record<string, ColumnRange>> {
  if (names.length === 0) return {};
  const { meta, parts } = await readManifest(store, ref);
  const columns = pickColumns(meta.columns, names, 'Ranges of a dataset');
  const select = columns.flatMap((column, i) => {
    const [low, high] = smallestAndLargest(column);
    return [
      `${missingIn(column)}::DOUBLE AS m${i}`,
      ...(isOrdered(column) ? [`${low} AS l${i}`, `${high} AS h${i}`] : []),
    ];
  });
  const [found = {}] = await withConnection((connection) =>
    connection.rows<Record<string, number | string | null>>(
      `SELECT ${select.join(', ')} FROM ${parquetScan(parts.map(({ path }) => path))}`,
    ),
  );
  return Object.fromEntries(
    columns.map((column, i) => [
      column.name,
      {
        missing: Number(found[`m${i}`]),
        min: boundOf(column, found[`l${i}`]),
        max: boundOf(column, found[`h${i}`]),
      },
    ]),
  );
}

/** A bound that SQL gave as text. */
export function boundOf({ type }: Column, value: unknown): number | string | undefined {
  if (typeof value !== 'string') return undefined;
  return type === 'float' || type === 'integer' ? Number(value) : value;
}

import type { ArtifactStore } from '@hourglass/artifacts';
import { didYouMean, HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, writeDataset, type ColumnData } from '@hourglass/dataset';

interface LabelOptions {
  label?: string;
  normal?: (string | number | boolean)[];
}

/**
 * 1 for each row whose label is one of the normal values, else 0; a missing label is not normal. All 1 without `label`.
 * @throws COLUMN_NOT_FOUND, OPTION_INVALID
 */
export async function readNormal(
  stage: string,
  store: ArtifactStore,
  data: ArtifactRef,
  { label, normal }: LabelOptions,
): Promise<Uint8Array> {
  const reader = await openDataset(store, data);
  if (label === undefined) {
    if (normal !== undefined)
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: option normal needs option label, the column that holds those values`,
      );
    return new Uint8Array(reader.rows).fill(1);
  }
  const names = reader.columns.map(({ name }) => name);
  if (!names.includes(label)) {
    const near = didYouMean(label, names);
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `${stage}: option label names "${label}", which the table does not have${near ? `; did you mean "${near}"?` : ''} It has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? `, and ${names.length - 20} more` : ''}`,
      { details: { option: 'label', column: label } },
    );
  }
  if (normal === undefined)
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: option label needs option normal, the values of "${label}" that mean a normal row`,
    );
  const column = (await reader.table([label])).columns[label]!;
  // Booleans are 0 and 1 in memory.
  const wanted = new Set(
    normal.flatMap((value) => (typeof value === 'boolean' ? [String(Number(value))] : [String(value)])),
  );
  return Uint8Array.from({ length: reader.rows }, (_, i) => (wanted.has(textOf(column, i)) ? 1 : 0));
}

/** Values of a label column with their rows, for messages; the most frequent first. */
export async function labelValues(store: ArtifactStore, data: ArtifactRef, label: string): Promise<string> {
  const reader = await openDataset(store, data);
  const column = (await reader.table([label])).columns[label]!;
  const counts = new Map<string, number>();
  for (let i = 0; i < reader.rows; i++) counts.set(textOf(column, i), (counts.get(textOf(column, i)) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted
    .slice(0, 8)
    .map(([value, count]) => `${value || 'missing'} (${count})`)
    .join(', ');
}

const textOf = (column: ColumnData, i: number): string =>
  column.kind === 'numeric'
    ? Number.isNaN(column.values[i]!)
      ? ''
      : String(column.values[i])
    : column.codes[i]! < 0
      ? ''
      : column.categories[column.codes[i]!]!;

/** The normal rows of a table; the table itself without `label`. @throws DATA_INSUFFICIENT when there is none */
export async function normalRows(
  stage: string,
  store: ArtifactStore,
  data: ArtifactRef,
  options: LabelOptions,
): Promise<ArtifactRef> {
  const keep = await readNormal(stage, store, data, options);
  if (options.label === undefined) return data;
  if (!keep.includes(1))
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: no row is normal: expected ${options.label} to be one of ${options.normal!.join(', ')}, found ${await labelValues(store, data, options.label)}; correct option normal`,
      { details: { label: options.label } },
    );
  return keepRows(store, data, keep);
}

/** The rows where `keep` is 1, part by part. */
export async function keepRows(store: ArtifactStore, data: ArtifactRef, keep: Uint8Array): Promise<ArtifactRef> {
  const reader = await openDataset(store, data);
  let first = 0;
  const parts = reader.parts.map(({ key, rows }) => {
    const values = Float64Array.from(keep.subarray(first, first + rows));
    first += rows;
    return { key, tables: [{ rows, columns: { keep: { kind: 'numeric' as const, values } } }] };
  });
  const side = await writeDataset(store, { columns: [{ name: 'keep', physical: 'BOOLEAN' }], parts });
  return queryDataset(store, {
    inputs: { data, side },
    sql: 'SELECT data.* FROM data POSITIONAL JOIN side WHERE side.keep',
    perPart: true,
  });
}

import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, readRecords, type Column } from '@hourglass/dataset';
import { isImageColumn } from './image-column.ts';
import type { RawImage } from './raw-image.ts';
import type { NewImage } from './write-images.ts';

/** How numbers become a picture: row by row, channels interleaved. */
export interface PixelLayout {
  width: number;
  height: number;
  channels: 1 | 3;
  /** Value of white. */
  max: number;
  /** Columns that hold the numbers, in order: one of vectors, or one a value. @default all vectors, else all numbers but `label` */
  columns?: string[];
}

/** Rows in memory at once. */
const ROWS = 2048;

/** Pictures whose pixels are numbers of a table. @throws COLUMN_NOT_FOUND, COLUMN_INVALID when they do not make width × height × channels */
export async function imagesFromPixels(
  store: ArtifactStore,
  ref: ArtifactRef,
  layout: PixelLayout,
  where: string,
): Promise<{ columns: { name: string; physical: string }[]; images: AsyncIterable<NewImage>; count: number }> {
  const reader = await openDataset(store, ref);
  const names = layout.columns ?? pixelColumns(reader.columns);
  const found = names.reduce(
    (sum, name) => sum + (reader.columns.find((column) => column.name === name)?.length ?? 1),
    0,
  );
  const { width, height, channels, max } = layout;
  const wanted = width * height * channels;
  if (found !== wanted)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: pixels: expected ${height} × ${width} × ${channels} = ${wanted} numbers a row, found ${found} in ${names.length === 1 ? `"${names[0]}"` : `${names.length} columns`}. Correct width, height and channels, or name the columns.`,
    );
  const others = reader.columns.filter((column) => !names.includes(column.name) && !isImageColumn(column));
  async function* images(): AsyncGenerator<NewImage> {
    const records = readRecords(
      store,
      ref,
      others.map(({ name }) => name),
    );
    for (let offset = 0; offset < reader.rows; offset += ROWS) {
      const { data, rows } = await reader.matrix(names, { offset, limit: ROWS });
      for (let row = 0; row < rows; row++) {
        const image: RawImage = { width, height, channels, data: new Uint8Array(wanted) };
        for (let i = 0; i < wanted; i++) {
          const value = data[row * wanted + i]!;
          if (Number.isNaN(value))
            throw new HourglassError(
              'COLUMN_INVALID',
              `${where}: row ${offset + row + 1} has a missing pixel; expected numbers 0 … ${max}.`,
            );
          image.data[i] = Math.round((255 * Math.min(max, Math.max(0, value))) / max);
        }
        const record = others.length > 0 ? (await records.next()).value : {};
        yield { image, name: `${String(offset + row).padStart(6, '0')}.png`, record: record ?? {} };
      }
    }
  }
  return { columns: others.map(({ name, physical }) => ({ name, physical })), images: images(), count: reader.rows };
}

function pixelColumns(columns: readonly Column[]): string[] {
  const vectors = columns.filter(({ type }) => type === 'vector');
  return (
    vectors.length > 0
      ? vectors
      : columns.filter(({ type, name }) => (type === 'integer' || type === 'float') && name.toLowerCase() !== 'label')
  ).map(({ name }) => name);
}

import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, readRecords, type DataRecord } from '@hourglass/dataset';
import { mapAhead } from './ahead.ts';
import { decodeImage, type DecodeOptions } from './decode.ts';
import { imageColumn } from './image-column.ts';
import type { RawImage } from './raw-image.ts';

/** Pictures decoded at the same time. */
const AHEAD = 8;

/** A picture of a dataset, decoded. */
export interface StoredImage {
  /** Row, from 0. */
  row: number;
  /** Name it came with, or `row N`. */
  name: string;
  image: RawImage;
  /** The other columns of its row. */
  record: DataRecord;
}

export interface ReadImagesOptions extends DecodeOptions {
  /** @default the one column that holds pictures */
  column?: string;
  /** For messages: `denoising/train: data`. */
  where: string;
  /** Rows to read at most, the first ones. @default all */
  limit?: number;
}

/** The encoded bytes of a cell and the name they came with. */
export function encodedCell(cell: DataRecord[string], row: number): { bytes: Uint8Array; name: string } | undefined {
  const fallback = `row ${row + 1}`;
  if (cell instanceof Uint8Array) return { bytes: cell, name: fallback };
  const { bytes, path } = (cell ?? {}) as { bytes?: Uint8Array | null; path?: string | null };
  return bytes ? { bytes, name: path || fallback } : undefined;
}

/**
 * The pictures of a dataset in the order of its rows, decoded a few at a time.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID, SOURCE_INVALID naming the row of a picture that cannot be read
 */
export async function* readImages(
  store: ArtifactStore,
  ref: ArtifactRef,
  { column, where, limit = Infinity, ...decode }: ReadImagesOptions,
): AsyncGenerator<StoredImage> {
  const { columns } = await openDataset(store, ref);
  const name = imageColumn(columns, where, column);
  async function* chosen(): AsyncGenerator<{ row: number; record: DataRecord }> {
    let row = 0;
    for await (const record of readRecords(store, ref)) {
      if (row >= limit) return;
      yield { row: row++, record };
    }
  }
  yield* mapAhead(chosen(), AHEAD, async ({ row, record }) => {
    const encoded = encodedCell(record[name]!, row);
    if (!encoded)
      throw new HourglassError(
        'SOURCE_INVALID',
        `${where}: row ${row + 1} has no picture in "${name}". Leave such rows out with data/images.`,
      );
    const { [name]: _, ...others } = record;
    return { row, name: encoded.name, image: await decodeImage(encoded.bytes, encoded.name, decode), record: others };
  });
}

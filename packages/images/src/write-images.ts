import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { writeRecords, type DataRecord } from '@hourglass/dataset';
import { mapAhead } from './ahead.ts';
import { encodePng } from './encode.ts';
import { IMAGE_TYPE } from './image-column.ts';
import { PICTURE_NAME } from './picture-name.ts';
import type { RawImage } from './raw-image.ts';

/** A picture on its way into a dataset. */
export interface NewImage {
  image: RawImage;
  /** File name; its ending becomes `.png`. */
  name: string;
  /** Its other columns. */
  record?: DataRecord;
}

export interface WriteImagesOptions {
  /** @default 'image' */
  column?: string;
  /** Other columns with their physical types, after the picture. @default none */
  columns?: { name: string; physical: string }[];
  images: AsyncIterable<NewImage> | Iterable<NewImage>;
}

/** Pictures as a dataset: a column {bytes: PNG, path} that Hugging Face's `datasets` and pandas open, beside others. */
export function writeImages(
  store: ArtifactStore,
  { column = 'image', columns = [], images }: WriteImagesOptions,
): Promise<ArtifactRef> {
  return writeRecords(store, {
    columns: [{ name: column, physical: IMAGE_TYPE }, ...columns],
    records: mapAhead(images, 8, async ({ image, name, record }) => ({
      ...record,
      [column]: { bytes: await encodePng(image), path: pngName(name) },
    })),
  });
}

/** A file's name with the ending of the format it is now in. */
export const pngName = (name: string): string => `${name.replace(PICTURE_NAME, '')}.png`;

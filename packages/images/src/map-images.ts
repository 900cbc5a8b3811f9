import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { imageColumn } from './image-column.ts';
import type { RawImage } from './raw-image.ts';
import { readImages, type ReadImagesOptions, type StoredImage } from './read-images.ts';
import { writeImages } from './write-images.ts';

/** A dataset with each picture answered by another; names and the other columns come through as they are. */
export async function mapImages(
  store: ArtifactStore,
  ref: ArtifactRef,
  { column: wanted, where }: Pick<ReadImagesOptions, 'column' | 'where'>,
  answer: (stored: StoredImage, rows: number) => Promise<RawImage>,
): Promise<ArtifactRef> {
  const { columns, rows } = await openDataset(store, ref);
  const column = imageColumn(columns, where, wanted);
  async function* answers() {
    for await (const stored of readImages(store, ref, { where, column }))
      yield { image: await answer(stored, rows), name: stored.name, record: stored.record };
  }
  const others = columns.filter(({ name }) => name !== column).map(({ name, physical }) => ({ name, physical }));
  return writeImages(store, { column, columns: others, images: answers() });
}

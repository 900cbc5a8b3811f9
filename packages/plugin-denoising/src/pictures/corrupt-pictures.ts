import { mapImages } from '@hourglass/images';
import type { StageContext } from '@hourglass/plugin-kit';
import type { ArtifactRef } from '@hourglass/core';
import type { PictureNoiseOptions } from '../noise-options.ts';
import { addNoise, toBytes } from './add-noise.ts';

/** Noise on pictures, rounded to 8 bits. */
export const corruptPictures = (
  { artifacts, signal, seed }: StageContext,
  data: ArtifactRef,
  options: PictureNoiseOptions & { column?: string },
): Promise<ArtifactRef> =>
  mapImages(artifacts, data, { where: 'denoising/corrupt', column: options.column }, async ({ row, image }) => {
    if (row % 64 === 0) signal.throwIfAborted();
    const { values } = await addNoise(image, options, seed, row);
    return { ...image, data: toBytes(values) };
  });

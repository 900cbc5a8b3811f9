import { HourglassError } from '@hourglass/core';
import sharp from 'sharp';
import type { Fit } from './fit-names.ts';
import type { RawImage } from './raw-image.ts';

export interface Size {
  width: number;
  height: number;
}

/** A picture at an exact size (Lanczos 3). */
export async function fitImage(image: RawImage, { width, height }: Size, fit: Fit): Promise<RawImage> {
  if (image.width === width && image.height === height) return image;
  const { data, info } = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: image.channels },
  })
    .resize(width, height, {
      fit: ({ crop: 'cover', pad: 'contain', stretch: 'fill' } as const)[fit],
      background: '#000000',
      kernel: 'lanczos3',
    })
    .toColourspace(image.channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== image.channels)
    throw new HourglassError('INTERNAL', `resizing gave ${info.channels} channels, expected ${image.channels}`);
  return { width, height, channels: image.channels, data: new Uint8Array(data) };
}

/** The rectangle at (left, top), which lies within the picture. */
export function cropImage(image: RawImage, left: number, top: number, { width, height }: Size): RawImage {
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

import { HourglassError } from '@hourglass/core';
import sharp from 'sharp';
import { enlargeImage } from './enlarge.ts';
import type { Fit } from './fit-names.ts';
import type { RawImage } from './raw-image.ts';

export interface Size {
  width: number;
  height: number;
}

/** A picture at an exact size (Lanczos 3); its middle stays the middle, whether it is enlarged or reduced. */
export async function fitImage(image: RawImage, size: Size, fit: Fit): Promise<RawImage> {
  if (image.width === size.width && image.height === size.height) return image;
  const scale = scaleOf(image, size, fit);
  if (scale.width <= 1 && scale.height <= 1) return reduce(image, size, fit);
  // Only a picture that is stretched may be enlarged along one axis and reduced along the other.
  const within = { width: Math.min(image.width, size.width), height: Math.min(image.height, size.height) };
  const ready = scale.width < 1 || scale.height < 1 ? await reduce(image, within, 'stretch') : image;
  return enlargeImage(ready, size, { width: Math.max(1, scale.width), height: Math.max(1, scale.height) });
}

/** By how much each axis grows. */
function scaleOf(image: Size, { width, height }: Size, fit: Fit): Size {
  const own = { width: width / image.width, height: height / image.height };
  if (fit === 'stretch') return own;
  const one = fit === 'crop' ? Math.max(own.width, own.height) : Math.min(own.width, own.height);
  return { width: one, height: one };
}

async function reduce(image: RawImage, { width, height }: Size, fit: Fit): Promise<RawImage> {
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

import { HourglassError } from '@hourglass/core';
import { cropImage, fitImage, type Size } from './fit.ts';
import type { Fit } from './fit-names.ts';
import type { RawImage } from './raw-image.ts';

/** What is done to a picture on its way in. */
export interface Shaping {
  /** Each row of pixels is a picture of its own, of this size. @default the whole is one */
  rows?: Size;
  /** @default as it is */
  resize?: Size & { fit: Fit };
  /** Cut into pieces of this size, edge to edge; what is left at the right and the bottom is dropped. @default whole */
  tile?: Size;
}

/** A picture, or the pieces it is cut into, with what is added to its name. */
export async function shapeImage(
  image: RawImage,
  { rows, ...shaping }: Shaping,
): Promise<{ image: RawImage; suffix: string }[]> {
  if (!rows) return shapeOne(image, shaping);
  const pieces: { image: RawImage; suffix: string }[] = [];
  const bytes = image.width * image.channels;
  if (image.width !== rows.width * rows.height)
    throw new HourglassError(
      'OPTION_INVALID',
      `rows: expected rows of ${rows.width} × ${rows.height} = ${rows.width * rows.height} pixels, found a picture ${image.width} pixels wide`,
    );
  for (let row = 0; row < image.height; row++) {
    const data = image.data.subarray(row * bytes, (row + 1) * bytes);
    for (const piece of await shapeOne({ ...rows, channels: image.channels, data }, shaping))
      pieces.push({ image: piece.image, suffix: `-${String(row).padStart(5, '0')}${piece.suffix}` });
  }
  return pieces;
}

async function shapeOne(
  image: RawImage,
  { resize, tile }: Omit<Shaping, 'rows'>,
): Promise<{ image: RawImage; suffix: string }[]> {
  const fitted = resize ? await fitImage(image, resize, resize.fit) : image;
  if (!tile) return [{ image: fitted, suffix: '' }];
  const pieces: { image: RawImage; suffix: string }[] = [];
  for (let top = 0; top + tile.height <= fitted.height; top += tile.height)
    for (let left = 0; left + tile.width <= fitted.width; left += tile.width)
      pieces.push({ image: cropImage(fitted, left, top, tile), suffix: `-${top}-${left}` });
  return pieces;
}

import { cropImage, fitImage, type Size } from './fit.ts';
import type { Fit } from './fit-names.ts';
import type { RawImage } from './raw-image.ts';

/** What is done to a picture on its way in. */
export interface Shaping {
  /** @default as it is */
  resize?: Size & { fit: Fit };
  /** Cut into pieces of this size, edge to edge; what is left at the right and the bottom is dropped. @default whole */
  tile?: Size;
}

/** A picture, or the pieces it is cut into, with what is added to its name. */
export async function shapeImage(
  image: RawImage,
  { resize, tile }: Shaping,
): Promise<{ image: RawImage; suffix: string }[]> {
  const fitted = resize ? await fitImage(image, resize, resize.fit) : image;
  if (!tile) return [{ image: fitted, suffix: '' }];
  const pieces: { image: RawImage; suffix: string }[] = [];
  for (let top = 0; top + tile.height <= fitted.height; top += tile.height)
    for (let left = 0; left + tile.width <= fitted.width; left += tile.width)
      pieces.push({ image: cropImage(fitted, left, top, tile), suffix: `-${top}-${left}` });
  return pieces;
}

import type { ArtifactStore } from '@hourglass/artifacts';
import { deriveSeed, HourglassError, type ArtifactRef } from '@hourglass/core';
import { drawUniform } from '@hourglass/engine';
import { cropImage, readImages, type RawImage } from '@hourglass/images';

/** Squares cut from pictures, bytes `[n, side, side, channels]`. */
export interface Patches {
  side: number;
  channels: 1 | 3;
  count: number;
  data: Uint8Array;
}

export interface PatchOptions {
  where: string;
  column?: string;
  /** @default from the first picture */
  patch?: number;
  patchesPerImage?: number;
  /** The side must be a multiple of this. */
  multiple: number;
  /** @default as the first picture */
  channels?: 1 | 3;
  validationFraction: number;
  seed: number;
  /** Pictures to learn from. @default all */
  accept?: (image: RawImage) => boolean;
  signal?: AbortSignal;
}

const LARGEST = 64;
const MOST = 64;

/**
 * Squares to train on and to validate with, from different pictures.
 * @throws DATA_INSUFFICIENT, COLUMN_NOT_FOUND, COLUMN_INVALID (a side that cannot be halved, pictures too small for it), SOURCE_INVALID
 */
export async function cutPatches(
  store: ArtifactStore,
  ref: ArtifactRef,
  options: PatchOptions,
): Promise<{ train: Patches; validation: Patches | undefined; images: number; skipped: number }> {
  const { where, multiple, seed } = options;
  let { patch: side, channels } = options;
  const taken: { train: Uint8Array[]; validation: Uint8Array[] } = { train: [], validation: [] };
  const small = new Map<string, number>();
  let [images, skipped] = [0, 0];
  for await (const { row, image } of readImages(store, ref, { where, column: options.column, channels })) {
    if (row % 64 === 0) options.signal?.throwIfAborted();
    channels ??= image.channels;
    side ??= Math.max(multiple, multiple * Math.floor(Math.min(LARGEST, image.width, image.height) / multiple));
    if (image.channels !== channels)
      throw new HourglassError(
        'COLUMN_INVALID',
        `${where}: row ${row + 1} is ${image.channels === 1 ? 'grey' : 'in colour'}, those before are ${channels === 1 ? 'grey' : 'in colour'}. Bring them together with data/images, channels: grey or rgb.`,
      );
    if (options.accept && !options.accept(image)) {
      skipped++;
      continue;
    }
    if (image.width < side || image.height < side) {
      const size = `${image.width}x${image.height}`;
      small.set(size, (small.get(size) ?? 0) + 1);
      continue;
    }
    images++;
    const draws = drawUniform(
      { seed: deriveSeed(seed, `patches/${row}`), domain: 'train', step: 0, call: 0 },
      2 * MOST + 1,
    );
    const aside = draws[2 * MOST]! < options.validationFraction;
    for (const [left, top] of places(image, side, options.patchesPerImage, draws))
      (aside ? taken.validation : taken.train).push(cropImage(image, left, top, { width: side, height: side }).data);
  }
  if (side !== undefined && side % multiple !== 0)
    throw new HourglassError(
      'OPTION_INVALID',
      `${where}: patch ${side} is no multiple of ${multiple}, by which the network halves pictures. Choose one, or fewer levels.`,
    );
  if (small.size > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: pictures smaller than the squares of ${side} × ${side} trained on: ${[...small]
        .slice(0, 5)
        .map(([size, count]) => `${count} of ${size}`)
        .join(', ')}. Make them one size with data/images, resize: { width: ${side}, height: ${side} }, or set patch.`,
    );
  if (taken.train.length === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${where}: expected pictures to learn from, found ${images}${skipped > 0 ? ` and ${skipped} left out` : ''}.`,
    );
  const join = (pieces: Uint8Array[]): Patches => {
    const size = side! * side! * channels!;
    const data = new Uint8Array(pieces.length * size);
    pieces.forEach((piece, i) => data.set(piece, i * size));
    return { side: side!, channels: channels!, count: pieces.length, data };
  };
  return {
    train: join(taken.train),
    validation: taken.validation.length > 0 ? join(taken.validation) : undefined,
    images,
    skipped,
  };
}

/** Upper left corners of the squares of a picture. */
function places(image: RawImage, side: number, wanted: number | undefined, draws: Float32Array): [number, number][] {
  const fit = Math.floor(image.width / side) * Math.floor(image.height / side);
  const count = Math.min(MOST, wanted ?? fit);
  return Array.from({ length: count }, (_, i) => [
    Math.floor(draws[2 * i]! * (image.width - side + 1)),
    Math.floor(draws[2 * i + 1]! * (image.height - side + 1)),
  ]);
}

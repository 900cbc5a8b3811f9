import type { Size } from './fit.ts';
import { blankImage, type RawImage } from './raw-image.ts';

/** Pixels on each side of a place that say something about it. */
const LOBES = 3;

/**
 * A picture enlarged about its middle by Lanczos 3: pixels have their places at their centres, as Pillow and OpenCV have
 * it. Of what is larger than `size` the middle is kept; beyond the picture it is black.
 *
 * sharp cannot: its `kernel` is for reducing only, and what it enlarges lies half a pixel of the result aside.
 * @param scale of each axis, at least 1
 */
export function enlargeImage(image: RawImage, { width, height }: Size, scale: Size): RawImage {
  const { channels } = image;
  const across = tapsOf(image.width, width, scale.width);
  const down = tapsOf(image.height, height, scale.height);
  const lines = new Float32Array(image.height * width * channels);
  for (let y = 0; y < image.height; y++)
    across.forEach(({ first, weights }, x) => {
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let t = 0; t < weights.length; t++)
          sum += weights[t]! * image.data[(y * image.width + first + t) * channels + k]!;
        lines[(y * width + x) * channels + k] = sum;
      }
    });
  const result = blankImage(width, height, channels);
  const line = width * channels;
  down.forEach(({ first, weights }, y) => {
    for (let i = 0; i < line; i++) {
      let sum = 0;
      for (let t = 0; t < weights.length; t++) sum += weights[t]! * lines[(first + t) * line + i]!;
      result.data[y * line + i] = Math.min(255, Math.max(0, Math.round(sum)));
    }
  });
  return result;
}

/** Of each pixel of the result the pixels it is made of and their weights, which sum to 1; none beyond the picture. */
function tapsOf(size: number, wanted: number, scale: number): { first: number; weights: number[] }[] {
  return Array.from({ length: wanted }, (_, i) => {
    const at = (i + 0.5 - wanted / 2) / scale + size / 2 - 0.5;
    // A place on the very edge is within, however it was rounded.
    if (at < -0.5 - 1e-9 || at > size - 0.5 + 1e-9) return { first: 0, weights: [] };
    const first = Math.max(0, Math.ceil(at - LOBES));
    const last = Math.min(size - 1, Math.floor(at + LOBES));
    const weights = Array.from({ length: last - first + 1 }, (_, t) => lanczos(first + t - at));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

const lanczos = (x: number): number => (Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0);

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

import { deriveSeed } from '@hourglass/core';
import { drawNormal, drawUniform } from '@hourglass/engine';
import { decodeImage, encodeImage, type RawImage } from '@hourglass/images';
import type { PictureNoiseOptions } from '../noise-options.ts';

/** A picture with noise: brightness about 0…1, not clipped, `[h, w, c]`. */
export interface NoisyImage {
  values: Float32Array;
  /** Strength drawn for it. */
  level: number;
}

/** Brightness 0…1 of bytes. A loop: `from` with a function would first make a list of all numbers. */
export function toBrightness(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = bytes[i]! / 255;
  return values;
}

/** Bytes of brightness, clipped and rounded. */
export function toBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(255 * Math.min(1, Math.max(0, values[i]!)));
  return bytes;
}

/** Adds noise to a picture. @param index number of the picture, so that each has draws of its own */
export async function addNoise(
  image: RawImage,
  { noise, level }: PictureNoiseOptions,
  seed: number,
  index: number,
): Promise<NoisyImage> {
  const own = deriveSeed(seed, `noise/${index}`);
  const count = image.data.length;
  const address = (call: number) => ({ seed: own, domain: 'train' as const, step: 0, call });
  const [low, high] = typeof level === 'number' ? [level, level] : level;
  const strength = low + (high - low) * drawUniform(address(0), 1)[0]!;
  const clean = toBrightness(image.data);
  const result = (values: Float32Array): NoisyImage => ({ values, level: strength });
  switch (noise) {
    case 'gaussian': {
      const normal = drawNormal(address(1), count);
      return result(clean.map((value, i) => value + strength * normal[i]!));
    }
    case 'speckle': {
      const normal = drawNormal(address(1), count);
      return result(clean.map((value, i) => value * (1 + strength * normal[i]!)));
    }
    case 'poisson': {
      const normal = drawNormal(address(1), count);
      const uniform = drawUniform(address(2), count);
      return result(
        clean.map((value, i) => strength * poisson(value / Math.max(1e-9, strength), uniform[i]!, normal[i]!)),
      );
    }
    case 'salt-and-pepper': {
      const draws = drawUniform(address(1), image.width * image.height);
      return result(
        clean.map((value, i) => {
          const draw = draws[Math.floor(i / image.channels)]!;
          return draw < strength / 2 ? 0 : draw < strength ? 1 : value;
        }),
      );
    }
    case 'jpeg': {
      const bytes = await encodeImage(image, 'jpeg', Math.max(1, Math.min(100, Math.round(100 - strength))));
      return result(toBrightness((await decodeImage(bytes, 'jpeg', { channels: image.channels })).data));
    }
  }
}

/** A Poisson count of a mean: by inversion where it is small, by the normal limit where it is large. */
function poisson(mean: number, uniform: number, normal: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  let [count, term, cumulative] = [0, Math.exp(-mean), Math.exp(-mean)];
  while (uniform > cumulative && count < 500) {
    term *= mean / ++count;
    cumulative += term;
  }
  return count;
}

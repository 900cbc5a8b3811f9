import type { StepRandom } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { Augmentation } from './augmentations.ts';

/**
 * Flips and quarter turns drawn for each picture, the same for all tensors `[b, s, s, c]` of a picture: eight pictures out
 * of one. Turns need square pictures.
 */
export function augment<T extends Record<string, Tensor>>(batch: T, random: StepRandom, kind: Augmentation): T {
  if (kind === 'none') return batch;
  const first = Object.values(batch)[0]!;
  const [rows, height, width] = first.shape as [number, number, number];
  const coin = (): Tensor => random.bernoulli([rows, 1, 1, 1], 0.5);
  const choose = (values: T, other: (x: Tensor) => Tensor): T => {
    const taken = coin();
    return Object.fromEntries(
      Object.entries(values).map(([name, x]) => [name, tf.add(x, tf.mul(tf.sub(other(x), x), taken))]),
    ) as T;
  };
  const mirrored = choose(batch, (x) => tf.reverse(x, 2));
  if (kind === 'mirror') return mirrored;
  const flipped = choose(mirrored, (x) => tf.reverse(x, 1));
  return height === width ? choose(flipped, (x) => tf.transpose(x, [0, 2, 1, 3])) : flipped;
}

import type { StepRandom } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { PictureNoiseOptions } from '../noise-options.ts';

/** Noise drawn within a training step for pictures `[b, h, w, c]`, and its strength `[b, 1, 1, 1]`. */
export function stepNoise(
  x: Tensor,
  { noise, level }: PictureNoiseOptions,
  random: StepRandom,
): { noisy: Tensor; level: Tensor } {
  const [rows, height, width] = x.shape as [number, number, number];
  const [low, high] = typeof level === 'number' ? [level, level] : level;
  const strength = tf.add(tf.mul(random.uniform([rows, 1, 1, 1]), high - low), low);
  const noisy = (): Tensor => {
    switch (noise) {
      case 'gaussian':
        return tf.add(x, tf.mul(strength, random.normal(x.shape)));
      case 'speckle':
        return tf.mul(x, tf.add(tf.mul(strength, random.normal(x.shape)), 1));
      case 'poisson':
        // The normal limit: its mean and variance are those of the counts.
        return tf.add(x, tf.mul(tf.sqrt(tf.mul(tf.relu(x), strength)), random.normal(x.shape)));
      case 'salt-and-pepper': {
        const draw = random.uniform([rows, height, width, 1]);
        const struck = tf.step(tf.sub(strength, draw));
        const salt = tf.step(tf.sub(draw, tf.mul(strength, 0.5)));
        return tf.add(x, tf.mul(struck, tf.sub(salt, x)));
      }
      case 'jpeg':
        throw new Error('compression is not drawn within a step');
    }
  };
  return { noisy: noisy(), level: strength };
}

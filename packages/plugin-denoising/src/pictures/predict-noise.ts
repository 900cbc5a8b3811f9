import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';

/**
 * The clean picture: the noisy one without the noise the network sees on it.
 * @param noisy brightness 0…1 `[b, h, w, c]`; @param level strength `[b, 1, 1, 1]` as one more channel of the network
 */
export function cleaned(noisy: Tensor, net: (x: Tensor) => Tensor, level?: Tensor): Tensor {
  const centred = tf.sub(noisy, 0.5);
  // Ones of a single row: a pass is traced with thousands of rows, and constants are held whole.
  const [, height, width] = noisy.shape as [number, number, number];
  const input = level ? tf.concat([centred, tf.mul(tf.ones([1, height, width, 1]), level)], 3) : centred;
  return tf.sub(noisy, net(input));
}

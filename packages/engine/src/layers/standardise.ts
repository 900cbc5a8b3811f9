import * as tf from '@tensorflow/tfjs';

import { withGradient } from './custom-gradient.ts';

/** Added to variances, so that what does not vary is not divided by zero. */
export const EPSILON = 1e-5;

/** x with mean 0 and variance 1 over axes. The gradient, written by hand, takes five reductions fewer than op by op. */
export function standardise(x: tf.Tensor, axes: number[]): tf.Tensor {
  const standard = withGradient((whole: tf.Tensor) => {
    const centred = tf.sub(whole, tf.mean(whole, axes, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), EPSILON));
    const y = tf.mul(centred, inverse);
    return {
      value: y,
      saved: [y, inverse],
      back(dy, [value, scale]) {
        const along = tf.mean(tf.mul(dy, value!), axes, true);
        return [tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, axes, true)), tf.mul(value!, along)), scale!)];
      },
    };
  });
  return standard(x);
}

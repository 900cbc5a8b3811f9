import * as tf from '@tensorflow/tfjs';

import { withGradient } from './custom-gradient.ts';

/** x · σ(x), Elfwing et al. 2017. The gradient, σ + y (1 − σ), takes two passes less than op by op. */
export const silu = withGradient((x: tf.Tensor) => {
  const sigmoid = tf.sigmoid(x);
  const y = tf.mul(x, sigmoid);
  return {
    value: y,
    saved: [sigmoid, y],
    back: (dy, [s, value]) => [tf.mul(dy, tf.add(s!, tf.sub(value!, tf.mul(value!, s!))))],
  };
});

/** x · Φ(x) with the exact Φ of the normal distribution, Hendrycks & Gimpel 2016; three passes less on the way back. */
export const gelu = withGradient((x: tf.Tensor) => {
  const below = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
  return {
    value: tf.mul(x, below),
    saved: [x, below],
    back(dy, [input, phi]) {
      const density = tf.mul(tf.exp(tf.mul(tf.square(input!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(dy, tf.add(phi!, tf.mul(input!, density)))];
    },
  };
});

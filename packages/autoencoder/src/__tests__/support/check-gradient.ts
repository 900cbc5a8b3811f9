import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';

/** Analytic gradient of Σ w·f(x) against central differences, at every element. */
export function checkGradient(f: (x: tf.Tensor) => tf.Tensor, shape: number[]): void {
  const size = shape.reduce((a, b) => a * b, 1);
  const x = Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + 0.3) * 1.5);
  const weights = (y: tf.Tensor): tf.Tensor => tf.cos(tf.reshape(tf.range(0, y.size), y.shape));
  const value = (values: Float32Array): number =>
    tf.tidy(() => {
      const y = f(tf.tensor(values, shape));
      return tf.sum(tf.mul(y, weights(y))).dataSync()[0]!;
    });
  const gradient = tf.tidy(() =>
    tf
      .grad((input) => {
        const y = f(input);
        return tf.sum(tf.mul(y, weights(y)));
      })(tf.tensor(x, shape))
      .dataSync(),
  );
  const h = 1e-2;
  for (let i = 0; i < size; i++) {
    const up = x.slice();
    const down = x.slice();
    up[i]! += h;
    down[i]! -= h;
    expect(gradient[i]).toBeCloseTo((value(up) - value(down)) / (2 * h), 2);
  }
}

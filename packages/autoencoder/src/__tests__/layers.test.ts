import { resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gelu, layerNorm } from '../network/layers.ts';
import { cellLoss } from '../network/table-loss.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
});

/** Analytic gradient of Σ w·f(x) against central differences, at every element. */
function checkGradient(f: (x: tf.Tensor) => tf.Tensor, shape: number[]): void {
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

describe('gradients written by hand equal differences of the function', () => {
  it('gelu', () => checkGradient(gelu, [3, 5]));

  it('layer normalisation', () => {
    const params = {
      'n/gain': tf.tensor1d([1, 2, 0.5, -1]),
      'n/bias': tf.tensor1d([0, 1, 0, 2]),
    };
    checkGradient((x) => layerNorm(x, params, 'n'), [3, 4]);
  });

  it('losses of numbers, booleans and categories, a missing category among them', () => {
    const layout = { numbers: 2, booleans: 1, cycles: [], categories: [{ codes: 5, classes: 3 }] };
    const target = {
      x: tf.tensor2d([0.3, -1, 1, 2, 0.5, 0], [2, 3]),
      codes: tf.tensor2d([4, 0], [2, 1], 'int32'),
    };
    checkGradient((output) => cellLoss(output, target, layout), [2, 6]);
    checkGradient((output) => cellLoss(output, target, layout, { huber: 0.7 }), [2, 6]);
  });
});

it('gelu agrees with its published values', () => {
  const y = tf.tidy(() => gelu(tf.tensor1d([-1, 0, 1, 3])).dataSync());
  [-0.1588, 0, 0.8412, 2.9964].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 3));
});

it('cross-entropy of a certain wrong answer is large and finite', () => {
  const layout = { numbers: 0, booleans: 1, cycles: [], categories: [{ codes: 4, classes: 2 }] };
  const loss = tf.tidy(() =>
    cellLoss(
      tf.tensor2d([[1000, 1000, -1000]]),
      { x: tf.tensor2d([[0]]), codes: tf.tensor2d([[3]], [1, 1], 'int32') },
      layout,
    ).dataSync(),
  );
  expect([...loss]).toEqual([1000, 2000]);
});

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { gelu, groupNorm, layerNorm, silu } from '../layers/index.ts';
import { expectSame, loadEngines, type Fn } from './compare-operation.ts';
import { normalArray } from './example-nets.ts';

beforeAll(loadEngines);

/** Value and gradients of Σ y · (fixed weights) on plain tfjs. */
function valueAndGrads(fn: Fn, shapes: number[][]): number[][] {
  void tf.setBackend('cpu');
  return tf.tidy(() => {
    const xs = shapes.map((shape, i) => tf.add(tf.tensor(normalArray(shape, i + 1).values, shape), 0.3));
    const weights = tf.tensor(normalArray(fn(...xs).shape, 9).values, fn(...xs).shape);
    const grads = tf.grads((...inputs: tf.Tensor[]) => tf.sum(tf.mul(fn(...inputs), weights)))(xs);
    return [fn(...xs), ...grads].map((t) => Array.from(t.dataSync()));
  });
}

const normal = (x: tf.Tensor, axes: number | number[]): tf.Tensor => {
  const { mean, variance } = tf.moments(x, axes, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
};

const cases: Record<string, [ours: Fn, plain: Fn, shapes: number[][]]> = {
  silu: [silu, (x) => tf.mul(x, tf.sigmoid(x)), [[3, 7]]],
  gelu: [gelu, (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)), [[3, 7]]],
  layerNorm: [layerNorm, (x, scale, shift) => tf.add(tf.mul(normal(x, -1), scale), shift), [[5, 6], [6], [6]]],
  'layerNorm of images': [
    layerNorm,
    (x, scale, shift) => tf.add(tf.mul(normal(x, -1), scale), shift),
    [[2, 3, 3, 4], [4], [4]],
  ],
  ...Object.fromEntries(
    [1, 2, 3, 6].map((groups) => [
      `groupNorm in ${groups} groups`,
      [
        (x, scale, shift) => groupNorm(x, scale, shift, groups),
        (x, scale, shift) => {
          const grouped = tf.reshape(x, [2, 12, groups, 6 / groups]);
          return tf.add(tf.mul(tf.reshape(normal(grouped, [1, 3]), x.shape), scale), shift);
        },
        [[2, 3, 4, 6], [6], [6]],
      ] as [Fn, Fn, number[][]],
    ]),
  ),
};

describe('layers with gradients written by hand', () => {
  it.each(Object.entries(cases))('have the value and gradients of plain tfjs: %s', async (_, [ours, plain, shapes]) => {
    const expected = valueAndGrads(plain, shapes);
    const found = valueAndGrads(ours, shapes);
    expected.forEach((values, k) =>
      values.forEach((v, i) => expect(Math.abs(found[k]![i]! - v)).toBeLessThan(1e-5 * Math.max(1, Math.abs(v)))),
    );
    await expectSame({ fn: ours, inputs: shapes });
  });
});

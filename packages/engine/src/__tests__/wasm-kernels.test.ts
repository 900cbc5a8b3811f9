import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { resolveEngine } from '../resolve.ts';
import { normalArray } from './example-nets.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await resolveEngine('wasm');
});

const random = <R extends tf.Rank = tf.Rank>(shape: number[], seed = 1) =>
  tf.tensor(normalArray(shape, seed).values, shape as never) as tf.Tensor<R>;

/** Values of `fn` on both backends, made anew on each. */
function onBoth(fn: () => tf.Tensor | tf.Tensor[]): [number[][], number[][]] {
  const [cpu, wasm] = ['cpu', 'wasm'].map((backend) => {
    void tf.setBackend(backend);
    return tf.tidy(() => [fn()].flat().map((t) => [...t.shape, ...t.dataSync()]));
  });
  return [cpu!, wasm!];
}

function expectSame(fn: () => tf.Tensor | tf.Tensor[]): void {
  const [cpu, wasm] = onBoth(fn);
  cpu.forEach((values, k) => {
    expect(wasm[k]!.length).toBe(values.length);
    values.forEach((v, i) => expect(Math.abs(wasm[k]![i]! - v)).toBeLessThan(2e-5 * Math.max(1, Math.abs(v))));
  });
}

describe('wasm, mended', () => {
  const layouts = [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const;

  it.each([
    [1, 7, 5, 9],
    [1, 33, 64, 17],
    [3, 8, 70, 4],
  ])('multiplies batches of matrices in every layout (%i × [%i, %i] · [·, %i])', (batch, m, k, n) => {
    for (const [transposeA, transposeB] of layouts)
      expectSame(() =>
        tf.matMul(
          random(transposeA ? [batch, k, m] : [batch, m, k], 2),
          random(transposeB ? [batch, n, k] : [batch, k, n], 3),
          transposeA,
          transposeB,
        ),
      );
  });

  it.each(['linear', 'relu', 'sigmoid', 'elu', 'leakyrelu', 'prelu', 'relu6'] as const)(
    'fuses a product of inner dimension 64 with bias and %s',
    (activation) => {
      for (const [transposeA, transposeB] of layouts)
        expectSame(() =>
          tf.fused.matMul({
            a: random(transposeA ? [64, 9] : [9, 64], 2),
            b: random(transposeB ? [5, 64] : [64, 5], 3),
            transposeA,
            transposeB,
            bias: random([5], 4),
            activation,
            preluActivationWeights: activation === 'prelu' ? random([5], 6) : undefined,
            leakyreluAlpha: 0.1,
          }),
        );
    },
  );

  it('sums rows by segment, leaving out ids outside', () => {
    const ids = () => tf.tensor1d([2, 0, 2, -1, 4, 9], 'int32');
    expectSame(() => tf.unsortedSegmentSum(random([6, 3]), ids(), 5));
    expectSame(() => tf.unsortedSegmentSum(random([6]), ids(), 5));
  });

  it('has the gradients of embedding, convolution and depthwise convolution', () => {
    const ids = () => tf.tensor1d([1, 1, 0, 3], 'int32');
    expectSame(() => tf.grad((w) => tf.sum(tf.square(tf.gather(w, ids()))))(random([5, 3])));
    expectSame(() =>
      tf.grads((x, w) => tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'))))([
        random([2, 6, 6, 3]),
        random([3, 3, 3, 4], 2),
      ]),
    );
    expectSame(() =>
      tf.grads((x, w) => tf.sum(tf.square(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'))))([
        random([2, 6, 6, 3]),
        random([3, 3, 3, 2], 2),
      ]),
    );
  });

  it('leaves no memory behind', () => {
    void tf.setBackend('wasm');
    const backend = tf.backend();
    const run = () =>
      tf.tidy(() => {
        tf.matMul(random([4, 3]), random([4, 3]), true, false);
        tf.fused.matMul({ a: random([3, 4]), b: random([4, 3]), bias: random([3]), activation: 'relu' });
        tf.grad((w) => tf.sum(tf.gather(w, tf.tensor1d([1, 1], 'int32'))))(random([5, 3]));
        tf.grad((w) => tf.sum(tf.conv2d(random<tf.Rank.R4>([1, 4, 4, 2]), w as tf.Tensor4D, 1, 'same')))(
          random([3, 3, 2, 2]),
        );
      });
    run();
    const counts = () => [backend.numDataIds(), tf.findBackend('cpu').numDataIds(), tf.memory().numTensors];
    const before = counts();
    run();
    expect(counts()).toEqual(before);
  });
});

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { expectSame, loadEngines, operationsOf, type Fn, type Input } from './compare-operation.ts';

beforeAll(loadEngines);

const x4 = (x: tf.Tensor) => x as tf.Tensor4D;
const enlarge = (x: tf.Tensor, r: number) => tf.image.resizeNearestNeighbor(x4(x), [x.shape[1]! * r, x.shape[2]! * r]);
const same: (x: tf.Tensor, w: tf.Tensor) => tf.Tensor = (x, w) => tf.conv2d(x4(x), x4(w), 1, 'same');

const cases: Record<string, [fn: Fn, inputs: Input[]]> = {
  'a 3×3 filter after doubling': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [2, 3, 4, 5],
      [3, 3, 5, 6],
    ],
  ],
  'one cell': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [1, 1, 1, 2],
      [3, 3, 2, 3],
    ],
  ],
  'a 5×5 filter after doubling': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [2, 3, 2, 3],
      [5, 5, 3, 4],
    ],
  ],
  'a 3×3 filter after tripling': [
    (x, w) => same(enlarge(x, 3), w),
    [
      [1, 3, 2, 3],
      [3, 3, 3, 4],
    ],
  ],
  'few channels out of many': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [2, 3, 4, 16],
      [3, 3, 16, 3],
    ],
  ],
  'few channels in': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [2, 3, 4, 2],
      [3, 3, 2, 9],
    ],
  ],
  'an even filter, padded unevenly': [
    (x, w) => same(enlarge(x, 2), w),
    [
      [2, 3, 4, 3],
      [4, 4, 3, 4],
    ],
  ],
  'a skip connection beside it': [
    (x, skip, w) => same(tf.concat([enlarge(x, 2), skip], 3), w),
    [
      [2, 3, 2, 4],
      [2, 6, 4, 3],
      [3, 3, 7, 5],
    ],
  ],
  'two enlarged images around a skip connection': [
    (x, skip, z, w) => same(tf.concat([enlarge(x, 2), skip, enlarge(z, 2)], 3), w),
    [
      [1, 2, 3, 2],
      [1, 4, 6, 3],
      [1, 2, 3, 4],
      [3, 3, 9, 5],
    ],
  ],
  'a net around it': [
    (x, v, w, bias) => tf.relu(tf.add(same(enlarge(tf.relu(same(x, v)), 2), w), bias)),
    [[2, 3, 3, 2], [3, 3, 2, 4], [3, 3, 4, 5], [5]],
  ],
  'an enlarged image that is used again': [
    (x, w) => {
      const large = enlarge(x, 2);
      return tf.add(same(large, w), large);
    },
    [
      [2, 3, 2, 4],
      [3, 3, 4, 4],
    ],
  ],
};

describe('convolutions of enlarged images, compiled', () => {
  it.each(Object.entries(cases))('have the value and gradients of plain tfjs: %s', async (_, [fn, inputs]) => {
    await expectSame({ fn, inputs });
  });

  it('never make the enlarged image, nor its gradient', () => {
    for (const name of ['a 3×3 filter after doubling', 'a skip connection beside it', 'few channels out of many']) {
      const found = operationsOf(...cases[name]!);
      expect(found.filter((op) => op.startsWith('Resize'))).toEqual([]);
    }
  });

  it.each([
    ['strides', (x, w) => tf.conv2d(x4(enlarge(x, 2)), x4(w), 2, 'same')],
    ['no padding', (x, w) => tf.conv2d(x4(enlarge(x, 2)), x4(w), 1, 'valid')],
    ['an enlargement by a fraction', (x, w) => same(tf.image.resizeNearestNeighbor(x4(x), [5, 7]), w)],
    ['corners aligned', (x, w) => same(tf.image.resizeNearestNeighbor(x4(x), [6, 8], true), w)],
    ['an enlargement of one side', (x, w) => same(tf.image.resizeNearestNeighbor(x4(x), [6, 4]), w)],
  ] as [string, Fn][])('are left as they are where the taps do not fall together: %s', async (_, fn) => {
    const inputs = [
      [2, 3, 4, 2],
      [3, 3, 2, 9],
    ];
    expect(operationsOf(fn, inputs)).toContain('ResizeNearest');
    await expectSame({ fn, inputs, gradients: false });
  });
});

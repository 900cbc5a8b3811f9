import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { sizeOf } from '../flat-params.ts';
import { multiplyAdds } from '../ir/work.ts';
import { expectAdjoint, expectSame, graphOf, loadEngines, type Case, type Fn } from './compare-operation.ts';

beforeAll(loadEngines);

describe('operations on images, compiled', () => {
  const x4 = (x: tf.Tensor) => x as tf.Tensor4D;
  const geometry: [stride: number, pad: 'same' | 'valid' | number, size: number, filter: number, dilation: number][] = [
    [1, 'same', 6, 3, 1],
    [2, 'same', 6, 3, 1],
    [2, 'same', 7, 3, 1],
    [1, 'valid', 6, 3, 1],
    [2, 'valid', 8, 3, 1],
    [2, 1, 8, 3, 1],
    [2, 'same', 6, 2, 1],
    [1, 'same', 5, 1, 1],
    [1, 'same', 7, 3, 2],
  ];
  it.each(geometry)(
    'convolutions: stride %i, padding %s, image %i, filter %i, dilation %i',
    async (stride, pad, size, filter, dilation) => {
      const gradients = dilation === 1; // tfjs has none for dilated convolutions
      await expectSame({
        fn: (x, w) => tf.conv2d(x4(x), x4(w), stride, pad, 'NHWC', dilation),
        inputs: [
          [2, size, size, 3],
          [filter, filter, 3, 4],
        ],
        gradients,
      });
      await expectSame({
        fn: (x, w) => tf.depthwiseConv2d(x4(x), x4(w), stride, pad, 'NHWC', dilation),
        inputs: [
          [2, size, size, 3],
          [filter, filter, 3, 2],
        ],
        gradients,
      });
    },
  );
  it.each([
    ['many to few', 12, 2],
    ['few to many', 2, 9],
    ['as many', 5, 5],
  ] as const)('convolutions of channels: %s', async (_, from, to) => {
    for (const [stride, pad, size, filter] of geometry)
      await expectSame({
        fn: (x, w) => tf.conv2d(x4(x), x4(w), stride, pad),
        inputs: [
          [2, size, size + 1, from],
          [filter, filter, from, to],
        ],
      });
  });
  it.each([
    [2, 'same', 3, [4, 4]],
    [2, 'same', 3, [3, 5]],
    [2, 'same', 2, [4, 4]],
    [2, 'same', 4, [4, 3]],
    [1, 'same', 3, [5, 4]],
    [2, 'valid', 3, [3, 4]],
    [3, 'valid', 2, [3, 2]],
  ] as [number, 'same' | 'valid', number, [number, number]][])(
    'transposed convolutions: stride %i, padding %s, filter %i, image %j',
    async (stride, pad, filter, [h, w]) => {
      const grown = (size: number) => (pad === 'same' ? size * stride : (size - 1) * stride + filter);
      for (const [from, to] of [
        [5, 3],
        [2, 12],
      ] as const)
        await expectSame({
          fn: (x, taps) => tf.conv2dTranspose(x4(x), x4(taps), [2, grown(h), grown(w), to], stride, pad),
          inputs: [
            [2, h, w, from],
            [filter, filter, to, from],
          ],
        });
    },
  );
  it.each([
    [1, [6, 4], [3, 3], 1, 'same'],
    [1, [6, 4], [3, 3], 3, 'same'],
    [2, [7, 4], [3, 3], 2, 'same'],
    [1, [6, 5], [3, 1], 1, 'valid'],
    [2, [8, 6], [2, 3], 2, 'valid'],
    [1, [6, 5], [5, 5], 1, 2],
  ] as [number, [number, number], [number, number], number, 'same' | 'valid' | number][])(
    'depthwise convolutions: stride %i, image %j, filter %j, %i channels out of one, padding %s',
    async (stride, [h, w], [fh, fw], many, pad) => {
      for (const channels of [1, 4])
        await expectSame({
          fn: (x, filter) => tf.depthwiseConv2d(x4(x), x4(filter), stride, pad),
          inputs: [
            [2, h, w, channels],
            [fh, fw, channels, many],
          ],
        });
    },
  );
  it('separable convolutions', () =>
    expectSame({
      fn: (x, depthwise, pointwise) => tf.separableConv2d(x4(x), x4(depthwise), x4(pointwise), 1, 'same'),
      inputs: [
        [2, 5, 6, 3],
        [3, 3, 3, 2],
        [1, 1, 6, 4],
      ],
    }));
  it('fused convolution with bias and relu', () =>
    expectSame({
      fn: (x, filter, bias) =>
        tf.fused.conv2d({ x: x4(x), filter: x4(filter), strides: 1, pad: 'same', bias, activation: 'relu' }),
      inputs: [[2, 5, 5, 3], [3, 3, 3, 4], [4]],
    }));
  it.each([
    [[2, 2], 2, 'valid', [6, 6]],
    [[2, 2], 2, 'same', [5, 7]],
    [[3, 3], 2, 'same', [7, 7]],
    [[3, 3], 1, 'same', [5, 4]],
    [[2, 3], 1, 'valid', [5, 6]],
    [[3, 3], 3, 'valid', [8, 7]],
    [[3, 3], 2, 1, [8, 6]],
  ] as [[number, number], number, 'same' | 'valid' | number, [number, number]][])(
    'pooling: windows %j, stride %i, padding %s, image %j',
    async (window, stride, pad, [h, w]) => {
      await expectSame({ fn: (x) => tf.maxPool(x4(x), window, stride, pad), inputs: [[2, h, w, 3]] });
      const mean: Fn = (x) => tf.avgPool(x4(x), window, stride, pad);
      await expectSame({ fn: mean, inputs: [[2, h, w, 3]], gradients: pad === 'valid' });
      // tfjs spreads gradients of means over padding too: ours are held against the meaning of a gradient.
      for (const seed of [1, 2]) await expectAdjoint(mean, [2, h, w, 3], seed);
    },
  );
  it('windows that tfjs counts wrongly are refused', async () => {
    const cases: Case[] = [
      { fn: (x) => tf.maxPool(x4(x), [3, 2], 2, 1), inputs: [[2, 8, 6, 3]] },
      {
        fn: (x, w) => tf.conv2d(x4(x), x4(w), 2, 1),
        inputs: [
          [2, 8, 6, 3],
          [3, 2, 3, 4],
        ],
      },
    ];
    for (const one of cases)
      await expect(expectSame(one)).rejects.toThrow('A window of 3×2 fits 4×4 times, and tfjs answers 4×3');
  });
  it('pooling of whole images', async () => {
    await expectSame({ fn: (x) => tf.mean(x, [1, 2]), inputs: [[2, 5, 4, 3]] });
    await expectSame({ fn: (x) => tf.max(x, [1, 2]), inputs: [[2, 5, 4, 3]] });
    await expectSame({ fn: (x) => tf.avgPool(x4(x), [5, 4], 1, 'valid'), inputs: [[2, 5, 4, 3]] });
  });
  it.each([
    [
      [4, 4],
      [8, 8],
    ],
    [
      [5, 5],
      [8, 8],
    ],
    [
      [8, 8],
      [4, 4],
    ],
    [
      [3, 5],
      [6, 15],
    ],
    [
      [3, 4],
      [7, 4],
    ],
    [
      [6, 7],
      [4, 3],
    ],
    [
      [1, 2],
      [4, 4],
    ],
  ] as [[number, number], [number, number]][])('resizing %j → %j', async ([h, w], to) => {
    for (const resize of [tf.image.resizeNearestNeighbor, tf.image.resizeBilinear])
      for (const [alignCorners, halfPixel] of [
        [false, false],
        [true, false],
        [false, true],
      ]) {
        const fn: Fn = (x) => resize(x4(x), to, alignCorners, halfPixel);
        await expectSame({ fn, inputs: [[2, h, w, 3]], gradients: false });
        // tfjs' own gradients are wrong for some of these.
        for (const seed of [1, 2]) await expectAdjoint(fn, [2, h, w, 3], seed);
      }
  });
  describe('convolutions of enlarged images', () => {
    const enlarge = (x: tf.Tensor, [y, across]: readonly [number, number], halfPixel = false) =>
      tf.image.resizeNearestNeighbor(x4(x), [y * x.shape[1]!, across * x.shape[2]!], false, halfPixel);
    /** Values as tfjs has them; its own gradients of resizing are wrong, so each is held against the meaning of one. */
    async function expectLinear(fn: Fn, inputs: number[][]): Promise<void> {
      await expectSame({ fn, inputs, gradients: false });
      for (const [i, shape] of inputs.entries()) {
        const others = inputs.map(
          (other) => tf.tidy(() => tf.reshape(tf.sin(tf.range(1, sizeOf(other) + 1)), other).arraySync()) as number[],
        );
        await expectAdjoint((x) => fn(...others.map((other, k) => (k === i ? x : tf.tensor(other)))), shape, i);
      }
    }
    it.each([
      [[2, 2], [3, 3], 'same'],
      [[2, 2], [3, 3], 'valid'],
      [[2, 3], [3, 2], 'same'],
      [[4, 1], [3, 3], 1],
      [[2, 2], [5, 5], 2],
      [[2, 2], [1, 1], 'same'],
      [[2, 2], [3, 3], 3],
    ] as [[number, number], [number, number], 'same' | 'valid' | number][])(
      'by %j, filter %j, padding %s',
      async (factors, [fh, fw], pad) => {
        for (const k of [3, 10])
          for (const halfPixel of [false, true])
            await expectLinear(
              (x, w) => tf.conv2d(x4(enlarge(x, factors, halfPixel)), x4(w), 1, pad),
              [
                [2, 3, 4, 3],
                [fh, fw, 3, k],
              ],
            );
      },
    );
    it('beside others', () =>
      expectLinear(
        (x, w) => {
          const beside = tf.tile(x, [1, 2, 2, 1]);
          const sides = tf.concat([beside, enlarge(tf.neg(x), [2, 2]), tf.mul(beside, 2)], 3);
          return tf.conv2d(x4(sides), x4(w), 1, 'same');
        },
        [
          [2, 3, 4, 3],
          [3, 3, 9, 10],
        ],
      ));
    it('also used otherwise', () =>
      expectLinear(
        (x, w) => {
          const large = enlarge(x, [2, 2]);
          const y = tf.conv2d(x4(large), x4(w), 1, 'same');
          return tf.add(y, tf.mul(tf.mean(large), tf.mean(w)));
        },
        [
          [2, 3, 4, 3],
          [3, 3, 3, 10],
        ],
      ));
    it('need fewer products', () => {
      const products = (net: (x: tf.Tensor) => tf.Tensor): number => {
        const graph = graphOf(
          (x, w) => tf.conv2d(x4(net(x)), x4(w), 1, 'same'),
          [
            [1, 4, 4, 16],
            [3, 3, 16, 16],
          ],
          true,
        );
        return multiplyAdds(graph);
      };
      const plain = 3 * 8 * 8 * 9 * 16 * 16;
      expect(
        products((x) =>
          tf.pad(x, [
            [0, 0],
            [4, 0],
            [4, 0],
            [0, 0],
          ]),
        ),
      ).toBe(plain);
      expect(products((x) => enlarge(x, [2, 2]))).toBe((plain * 16) / 36);
    });
  });
  it.each([
    [2, [2, 3, 3, 8]],
    [2, [1, 2, 5, 4]],
    [3, [2, 2, 1, 18]],
  ] as [number, number[]][])('pixel shuffle in blocks of %i: %j', async (block, shape) => {
    const shuffle: Fn = (x) => tf.depthToSpace(x4(x), block, 'NHWC');
    await expectSame({ fn: (x) => tf.square(shuffle(x)), inputs: [shape] });
    for (const seed of [1, 2]) await expectAdjoint(shuffle, shape, seed);
  });
  it('group norm', () =>
    expectSame({
      fn: (x, scale) => {
        const groups = tf.reshape(x, [2, 16, 2, 3]);
        const { mean, variance } = tf.moments(groups, [1, 3], true);
        const normal = tf.mul(tf.sub(groups, mean), tf.rsqrt(tf.add(variance, 1e-5)));
        return tf.mul(tf.reshape(normal, [2, 4, 4, 6]), scale);
      },
      inputs: [[2, 4, 4, 6], [6]],
    }));
});

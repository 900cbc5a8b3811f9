import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';

import { expectSame, loadEngines, type Case, type Fn, type Input } from './compare-operation.ts';

beforeAll(loadEngines);

const positive = (shape: number[]): Input => ({ shape, from: 0.2, to: 3 });
const SHAPES = [[7], [3, 5], [2, 3, 4, 5]];

describe('elementwise operations, compiled', () => {
  const unary: Record<string, [fn: Fn, input?: (shape: number[]) => Input]> = {
    abs: [tf.abs],
    neg: [tf.neg],
    exp: [tf.exp],
    expm1: [tf.expm1],
    log: [tf.log, positive],
    log1p: [tf.log1p, positive],
    sqrt: [tf.sqrt, positive],
    rsqrt: [tf.rsqrt, positive],
    reciprocal: [tf.reciprocal, positive],
    square: [tf.square],
    sigmoid: [tf.sigmoid],
    tanh: [tf.tanh],
    relu: [tf.relu],
    relu6: [(x) => tf.relu6(tf.mul(x, 5))],
    elu: [tf.elu],
    selu: [tf.selu],
    softplus: [tf.softplus],
    erf: [tf.erf],
    sin: [tf.sin],
    cos: [tf.cos],
    leakyRelu: [(x) => tf.leakyRelu(x, 0.3)],
    clip: [(x) => tf.clipByValue(x, -0.5, 0.7)],
    step: [(x) => tf.mul(x, tf.step(x, 0.25))],
    sign: [(x) => tf.mul(x, tf.sign(x))],
    silu: [(x) => tf.mul(x, tf.sigmoid(x))],
    gelu: [(x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))],
    pow2: [(x) => tf.pow(x, 2), positive],
    pow3: [(x) => tf.pow(x, 3), positive],
    softmax: [(x) => tf.softmax(x)],
    logSoftmax: [(x) => tf.logSoftmax(x)],
    huber: [(x) => tf.losses.huberLoss(tf.zerosLike(x), x, 1, 0.5, tf.Reduction.NONE)],
  };
  it.each(Object.entries(unary))('%s', async (_, [fn, input]) => {
    for (const shape of SHAPES) await expectSame({ fn, inputs: [input ? input(shape) : shape] });
  });

  const roundings: Record<string, Fn> = {
    floor: tf.floor,
    ceil: tf.ceil,
    round: tf.round,
    sign: tf.sign,
    isNaN: tf.isNaN,
  };
  it.each(Object.entries(roundings))('%s', async (_, fn) => {
    for (const shape of SHAPES) await expectSame({ fn, inputs: [shape], gradients: false });
  });

  const binary: Record<string, [fn: Fn, kind?: 'positive' | 'values' | 'same shape']> = {
    add: [tf.add],
    sub: [tf.sub],
    mul: [tf.mul],
    div: [tf.div, 'positive'],
    maximum: [tf.maximum, 'same shape'],
    minimum: [tf.minimum, 'same shape'],
    squaredDifference: [tf.squaredDifference, 'same shape'],
    pow: [tf.pow, 'positive'],
    mod: [(a, b) => tf.mod(a, b), 'values'],
    floorDiv: [(a, b) => tf.floorDiv(tf.cast(tf.mul(a, 9), 'int32'), tf.add(tf.cast(tf.abs(b), 'int32'), 2)), 'values'],
    greater: [tf.greater, 'values'],
    greaterEqual: [tf.greaterEqual, 'values'],
    less: [tf.less, 'values'],
    lessEqual: [tf.lessEqual, 'values'],
    equal: [(a, b) => tf.equal(tf.round(a), tf.round(b)), 'values'],
    notEqual: [(a, b) => tf.notEqual(tf.round(a), tf.round(b)), 'values'],
    and: [(a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)), 'values'],
    or: [(a, b) => tf.logicalOr(tf.greater(a, 0), tf.logicalNot(tf.greater(b, 0))), 'values'],
  };
  const pairs = [
    [
      [3, 5],
      [3, 5],
    ],
    [[3, 5], [5]],
    [
      [3, 1],
      [1, 4],
    ],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[], [2, 2]],
  ] as [number[], number[]][];
  it.each(Object.entries(binary))('%s, broadcasting', async (_, [fn, kind]) => {
    for (const [a, b] of pairs)
      await expectSame({
        fn,
        inputs: kind === 'positive' ? [positive(a), positive(b)] : [a, b],
        // tfjs has wrong gradients of some operations when they broadcast.
        gradients: kind !== 'values' && (kind !== 'same shape' || a.join() === b.join()),
      });
  });

  it('where', async () => {
    await expectSame({
      fn: (x, a, b) => tf.where(tf.greater(x, 0), a, b),
      inputs: [
        [3, 5],
        [3, 5],
        [3, 5],
      ],
    });
    const rows = () => tf.cast(tf.tensor2d([1, 0, 1], [3, 1]), 'bool');
    await expectSame({
      fn: (a, b) => tf.where(rows(), a, b),
      inputs: [
        [3, 5],
        [3, 5],
      ],
    });
    const cells = () => tf.cast(tf.tensor2d([1, 0, 1, 0, 0, 1], [3, 2]), 'bool');
    await expectSame({
      fn: (a, b) => tf.where(cells(), a, b),
      inputs: [
        [3, 2],
        [3, 2],
      ],
    });
  });

  it('prelu', () => expectSame({ fn: (x, a) => tf.prelu(x, a), inputs: [[3, 5], [5]] }));
  it('casts', () =>
    expectSame({ fn: (x) => tf.cast(tf.cast(tf.mul(x, 3), 'int32'), 'float32'), inputs: [[3, 5]], gradients: false }));
});

describe('reductions, compiled', () => {
  const reductions: Record<string, (x: tf.Tensor, axis?: number | number[], keep?: boolean) => tf.Tensor> = {
    sum: tf.sum,
    mean: tf.mean,
    max: tf.max,
    min: tf.min,
  };
  it.each(Object.entries(reductions))('%s over any axes', async (_, fn) => {
    for (const axis of [undefined, 0, -1, [0, 2], [1]])
      for (const keep of [false, true]) await expectSame({ fn: (x) => fn(x, axis, keep), inputs: [[2, 3, 4]] });
    await expectSame({ fn: (x) => fn(x), inputs: [[5]] });
  });
  it('variance, logSumExp, norm', async () => {
    await expectSame({ fn: (x) => tf.moments(x, 1, true).variance, inputs: [[4, 6]] });
    await expectSame({ fn: (x) => tf.logSumExp(x, -1), inputs: [[4, 6]] });
    await expectSame({ fn: (x) => tf.norm(x), inputs: [[4, 6]] });
  });
  it('prod, any, all, argMax, argMin', async () => {
    const fns: Fn[] = [
      (x) => tf.prod(x, 1),
      (x) => tf.any(tf.greater(x, 1), 1),
      (x) => tf.all(tf.greater(x, -1), 0),
      (x) => tf.argMax(x, 1),
      (x) => tf.argMin(x, -1),
    ];
    for (const fn of fns) await expectSame({ fn, inputs: [[4, 6]], gradients: false });
  });
});

describe('products, compiled', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('matMul, transposed %s %s', async (ta, tb) => {
    const shape = (rows: number, columns: number, turned: boolean, batch: number[] = []) =>
      turned ? [...batch, columns, rows] : [...batch, rows, columns];
    const fn: Fn = (a, b) => tf.matMul(a, b, ta, tb);
    await expectSame({ fn, inputs: [shape(3, 5, ta), shape(5, 4, tb)] });
    await expectSame({ fn, inputs: [shape(3, 5, ta, [2]), shape(5, 4, tb, [2])] });
    const biased: Fn = (a, b, c) => tf.add(tf.matMul(a, b, ta, tb), c);
    await expectSame({ fn: biased, inputs: [shape(3, 5, ta), shape(5, 4, tb), [4]] });
  });
  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const)('fused product with %s', (activation) =>
    expectSame({
      fn: (a, b, bias) => tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.1 } as never),
      inputs: [[6, 5], [5, 3], [3]],
    }),
  );
});

describe('operations on shapes, compiled', () => {
  const cases: Record<string, Case> = {
    reshape: { fn: (x) => tf.mul(tf.reshape(x, [6, -1]), 2), inputs: [[3, 8]] },
    'expandDims and squeeze': { fn: (x) => tf.squeeze(tf.expandDims(x, 1)), inputs: [[3, 1, 8]] },
    transpose: { fn: (x) => tf.transpose(x, [2, 0, 1]), inputs: [[2, 3, 4]] },
    'transpose of axes of size 1': { fn: (x) => tf.transpose(x, [1, 0, 2]), inputs: [[1, 3, 4]] },
    concat: {
      fn: (a, b) => tf.concat([a, b, a], 1),
      inputs: [
        [2, 3],
        [2, 4],
      ],
    },
    stack: {
      fn: (a, b) => tf.stack([a, b], 1),
      inputs: [
        [2, 3],
        [2, 3],
      ],
    },
    unstack: { fn: (x) => tf.mul(tf.unstack(x, 1)[1]!, tf.unstack(x, 1)[2]!), inputs: [[2, 3]] },
    split: { fn: (x) => tf.mul(tf.split(x, [2, 4], 1)[1]!, 3), inputs: [[2, 6]] },
    slice: { fn: (x) => tf.slice(x, [1, 0, 2], [2, -1, 1]), inputs: [[4, 3, 5]] },
    'strided slice': { fn: (x) => tf.stridedSlice(x, [1, 0], [3, 2], [1, 1]), inputs: [[4, 5]], gradients: false },
    pad: {
      fn: (x) =>
        tf.pad(
          x,
          [
            [1, 2],
            [0, 3],
          ],
          0.5,
        ),
      inputs: [[2, 3]],
    },
    tile: { fn: (x) => tf.tile(x, [2, 3]), inputs: [[2, 2]] },
    broadcastTo: { fn: (x) => tf.square(tf.broadcastTo(x, [3, 2, 4])), inputs: [[2, 1]] },
    reverse: { fn: (x) => tf.reverse(x, [0, 1]), inputs: [[3, 4]] },
    gather: { fn: (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 1], 'int32')), inputs: [[3, 4]] },
    'gather along columns': { fn: (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 1), inputs: [[3, 4]] },
    'gather by a matrix': {
      fn: (x) => tf.gather(x, tf.tensor2d([2, 0, 1, 1], [2, 2], 'int32')),
      inputs: [[3, 4]],
    },
    oneHot: {
      fn: (x) => tf.matMul(tf.cast(tf.oneHot(tf.tensor1d([1, -1, 0, 9], 'int32'), 3), 'float32'), x),
      inputs: [[3, 4]],
    },
    'oneHot with other values': {
      fn: (x) => tf.mul(x, tf.oneHot(tf.tensor1d([1, 0], 'int32'), 3, 5, -1)),
      inputs: [[2, 3]],
    },
    segmentSum: { fn: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1, 3], 'int32'), 5), inputs: [[4, 3]] },
    'range, linspace, fill': {
      fn: (x) => tf.add(tf.mul(x, tf.range(0, 4)), tf.fill([3, 4], 2)),
      inputs: [[3, 4]],
    },
    'gather by a matrix along columns': {
      fn: (x) => tf.gather(x, tf.tensor2d([2, 0, 1, 1], [2, 2], 'int32'), 1),
      inputs: [[3, 4, 2]],
    },
    'gather of rows that are matrices': {
      fn: (x) => tf.gather(x, tf.tensor1d([1, 1, 0], 'int32')),
      inputs: [[2, 3, 2]],
    },
    'concat along rows and of three': {
      fn: (a, b, c) => tf.square(tf.concat([a, b, c], 0)),
      inputs: [
        [2, 3],
        [1, 3],
        [3, 3],
      ],
    },
    'concat of images': {
      fn: (a, b) => tf.square(tf.concat([a, b], -1)),
      inputs: [
        [2, 3, 3, 2],
        [2, 3, 3, 5],
      ],
    },
    'slices of images': { fn: (x) => tf.square(tf.slice(x, [0, 1, 0, 2], [-1, 2, 3, 1])), inputs: [[2, 3, 3, 4]] },
    'batchNorm of images': {
      fn: (x, mean, variance, offset, scale) =>
        tf.batchNorm(
          x as tf.Tensor4D,
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
      inputs: [[2, 3, 4, 3], [3], { shape: [3], from: 0.5, to: 2 }, [3], [3]],
    },
    batchNorm: {
      fn: (x, mean, variance, offset, scale) =>
        tf.batchNorm(
          x as tf.Tensor2D,
          mean as tf.Tensor1D,
          tf.abs(variance) as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
      inputs: [[6, 3], [3], { shape: [3], from: 0.5, to: 2 }, [3], [3]],
    },
    'broadcasts inside sums': {
      fn: (x, y) => tf.sum(tf.mul(tf.broadcastTo(x, [4, 3]), tf.broadcastTo(tf.reshape(y, [4, 1]), [4, 3])), 1),
      inputs: [[3], [4]],
    },
    'sums of what was repeated': { fn: (x) => tf.sum(tf.broadcastTo(x, [5, 2, 3]), [0, 2]), inputs: [[2, 1]] },
    'means of what was repeated': { fn: (x) => tf.mean(tf.broadcastTo(x, [5, 2, 3]), [0, 2]), inputs: [[2, 1]] },
  };
  it.each(Object.entries(cases))('%s', (_, one) => expectSame(one));
});

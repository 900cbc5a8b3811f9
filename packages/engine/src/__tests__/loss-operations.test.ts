import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, it } from 'vitest';

import { expectSame, loadEngines, type Fn, type Input } from './compare-operation.ts';

beforeAll(loadEngines);

/** Ones and zeros of a shape, some of each, the same every time. */
const mask = (shape: number[]): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => ((i * 7) % 5 < 3 ? 1 : 0)),
    shape,
  );
};
const share = (shape: number[]): Input => ({ shape, from: 0.05, to: 0.95 });
const SHAPES = [[7], [4, 3], [2, 3, 3, 2]];

/** Mean over the cells the mask keeps. */
const masked = (each: tf.Tensor): tf.Tensor => {
  const kept = mask(each.shape);
  return tf.div(tf.sum(tf.mul(each, kept)), tf.add(tf.sum(kept), 1e-6));
};

describe('losses, compiled', () => {
  const cases: Record<string, [fn: Fn, inputs?: (shape: number[]) => Input[]]> = {
    'squared errors': [(x, y) => masked(tf.squaredDifference(x, y))],
    'squared errors of tfjs': [(x, y) => tf.losses.meanSquaredError(y, x, mask(x.shape))],
    'absolute errors of tfjs': [(x, y) => tf.losses.absoluteDifference(y, x, mask(x.shape))],
    'Huber of tfjs': [(x, y) => tf.losses.huberLoss(y, x, mask(x.shape), 0.7)],
    'Huber by cases': [
      (x, y) => {
        const distance = tf.abs(tf.sub(x, y));
        const far = tf.sub(distance, 0.5);
        return masked(tf.where(tf.lessEqual(distance, 1), tf.mul(tf.square(distance), 0.5), far));
      },
    ],
    'binary cross-entropy of probabilities': [
      (p, y) => tf.losses.logLoss(y, p, mask(p.shape)),
      (shape) => [share(shape), share(shape)],
    ],
    'binary cross-entropy of logits': [
      (x, y) => tf.losses.sigmoidCrossEntropy(y, x, mask(x.shape)),
      (shape) => [shape, share(shape)],
    ],
    'binary cross-entropy of logits by softplus': [
      (x, y) => masked(tf.sub(tf.softplus(x), tf.mul(x, y))),
      (shape) => [shape, share(shape)],
    ],
    'cosine distance of tfjs': [(x, y) => tf.losses.cosineDistance(y, x, 0)],
    hinge: [(x) => tf.losses.hingeLoss(mask(x.shape), x)],
  };
  it.each(Object.entries(cases))('%s', async (_, [fn, inputs]) => {
    for (const shape of SHAPES) await expectSame({ fn, inputs: inputs ? inputs(shape) : [shape, shape] });
  });

  it('cross-entropy of classes, rows masked', async () => {
    for (const [rows, classes] of [
      [5, 3],
      [3, 12],
      [1, 2],
    ] as const) {
      const codes = () =>
        tf.tensor1d(
          Array.from({ length: rows }, (_, i) => (i * 2) % classes),
          'int32',
        );
      const truth = () => tf.cast(tf.oneHot(codes(), classes), 'float32');
      const fns: Fn[] = [
        (x) => masked(tf.neg(tf.sum(tf.mul(tf.logSoftmax(x), truth()), -1))),
        (x) => tf.losses.softmaxCrossEntropy(truth(), x, mask([rows])),
        (x) => tf.losses.softmaxCrossEntropy(truth(), x, undefined, 0.1),
        (x) => masked(tf.neg(tf.log(tf.sum(tf.mul(tf.softmax(x), truth()), 1)))),
        // A class never seen has no row of truth: it costs nothing.
        (x) => tf.sum(tf.mul(tf.logSoftmax(x), tf.oneHot(tf.fill([rows], -1, 'int32'), classes))),
      ];
      for (const fn of fns) await expectSame({ fn, inputs: [[rows, classes]] });
    }
  });

  it('the divergence of a normal from the standard one, and what is drawn from it', async () => {
    const divergence: Fn = (mu, logVar) =>
      tf.mean(tf.mul(tf.sum(tf.sub(tf.add(tf.square(mu), tf.exp(logVar)), tf.add(logVar, 1)), 1), 0.5));
    const drawn: Fn = (mu, logVar, epsilon) => tf.add(mu, tf.mul(tf.exp(tf.mul(logVar, 0.5)), epsilon));
    for (const shape of [
      [5, 2],
      [3, 1],
      [1, 8],
    ]) {
      await expectSame({ fn: divergence, inputs: [shape, shape] });
      await expectSame({ fn: drawn, inputs: [shape, shape, shape] });
    }
  });
});

describe('choices by conditions, compiled', () => {
  const conditions: Record<string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor> = {
    greater: tf.greater,
    'greater or equal': tf.greaterEqual,
    less: tf.less,
    'less or equal': tf.lessEqual,
    'both of two': (x, y) => tf.logicalAnd(tf.greater(x, 0), tf.less(y, 0.5)),
    'either of two': (x, y) => tf.logicalOr(tf.greater(x, 0.5), tf.logicalNot(tf.less(y, 0.5))),
    'no number': (x) => tf.isNaN(x),
    equal: (x, y) => tf.equal(tf.sign(x), tf.sign(y)),
    'not equal': (x, y) => tf.notEqual(tf.sign(x), tf.sign(y)),
    'any of a row': (x, y) => tf.broadcastTo(tf.any(tf.greater(x, y), -1, true), x.shape),
    'all of a row': (x, y) => tf.broadcastTo(tf.all(tf.greater(x, tf.sub(y, 1)), -1, true), x.shape),
  };
  it.each(Object.entries(conditions))('are learned through: %s', async (_, condition) => {
    for (const shape of SHAPES)
      await expectSame({
        fn: (x, y) => tf.where(condition(x, y), tf.mul(x, y), tf.sub(x, tf.square(y))),
        inputs: [shape, shape],
      });
  });
});

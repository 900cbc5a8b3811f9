import { resolveEngine } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { gelu, layerNorm } from '../network/layers.ts';
import { cellLoss } from '../network/table-loss.ts';
import { checkGradient } from './support/check-gradient.ts';

beforeAll(async () => {
  await resolveEngine('cpu');
  await tf.setBackend('cpu');
});

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

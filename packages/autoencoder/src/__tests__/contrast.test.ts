import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { contrastLoss } from '../network/contrast.ts';
import { checkGradient } from './support/check-gradient.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const loss = (a: number[][], b: number[][], cells = 100): number[] =>
  Array.from(tf.tidy(() => contrastLoss(tf.tensor2d(a), tf.tensor2d(b), cells).dataSync()));

describe('the contrast of two views', () => {
  it('is the cross-entropy of finding the other view, both ways, by nearness', () => {
    const a = [[0], [1]];
    const b = [[2], [4]];
    // In a hundred cells a distance of 1 is one unit.
    const near = (x: number, y: number): number => 1 / (1 + (x - y) ** 2);
    const both = (own: number, other: number, back: number): number =>
      -Math.log(own) + (Math.log(own + other) + Math.log(own + back)) / 2;
    const [first, second] = loss(a, b);
    expect(first).toBeCloseTo(both(near(0, 2), near(0, 4), near(1, 2)), 5);
    expect(second).toBeCloseTo(both(near(1, 4), near(1, 2), near(0, 4)), 5);
  });

  it('is least where views meet and rows are apart, and log b where all rows are one', () => {
    const apart = [[0], [50], [-50]];
    for (const each of loss(apart, apart)) expect(each).toBeLessThan(0.01);
    for (const each of loss([[1], [1], [1]], [[1], [1], [1]])) expect(each).toBeCloseTo(Math.log(3), 5);
  });

  it('has the gradient of what it says', () => {
    const other = tf.tensor2d([0.5, -1, 0.25, 2, 1, 1.5], [3, 2]);
    checkGradient((x) => contrastLoss(x, other, 100), [3, 2]);
    checkGradient((x) => contrastLoss(other, x, 100), [3, 2]);
  });
});

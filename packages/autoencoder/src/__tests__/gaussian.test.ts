import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { fitGaussian } from '../network/gaussian-fit.ts';
import { gaussianFill } from '../network/gaussian-fill.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Pseudo-random normal-ish numbers, the same in every run. */
function noise(count: number, seed = 1): number[] {
  let state = seed;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** n rows of (a, b, (a + b)/√2·0.9 + rest) with variance 1 each. */
function rows(n: number): Float32Array {
  const e = noise(3 * n);
  return Float32Array.from({ length: 3 * n }, (_, i) => {
    const [a, b, c] = e.slice(i - (i % 3), i - (i % 3) + 3) as [number, number, number];
    return i % 3 === 0 ? a : i % 3 === 1 ? b : (0.9 * (a + b)) / Math.SQRT2 + Math.sqrt(0.19) * c;
  });
}

describe('fitGaussian', () => {
  it('recovers the conditional regression although a fifth of the cells is missing', async () => {
    const x = rows(4000);
    const observed = Uint8Array.from(noise(x.length, 7), (value) => (value > -0.84 ? 1 : 0));
    const { precision } = await fitGaussian(x, observed, 3, { ridge: 0, tolerance: 1e-5 });
    // Regression of c on a and b: −P_ca / P_cc = 0.9/√2.
    expect(-precision[6]! / precision[8]!).toBeCloseTo(0.9 / Math.SQRT2, 1);
    expect(-precision[7]! / precision[8]!).toBeCloseTo(0.9 / Math.SQRT2, 1);
    expect(1 / precision[8]!).toBeCloseTo(0.19, 1);
  });

  it('is the sample mean and covariance plus ridge when nothing is missing', async () => {
    const x = Float32Array.of(1, 2, 3, 5, 5, 5);
    const { mean, precision } = await fitGaussian(x, new Uint8Array(6).fill(1), 2, { ridge: 0.5 });
    expect([...mean]).toEqual([3, 4]);
    const [a, b, d] = [8 / 3 + 0.5, 2, 2 + 0.5];
    const det = a * d - b * b;
    [d / det, -b / det, -b / det, a / det].forEach((value, i) => expect(precision[i]).toBeCloseTo(value, 10));
  });

  it('takes constant columns, columns without a value, no rows and no columns', async () => {
    const constant = await fitGaussian(Float32Array.of(0, 1, 0, -1), new Uint8Array(4).fill(1), 2);
    expect(constant.precision.every(Number.isFinite)).toBe(true);
    const empty = await fitGaussian(Float32Array.of(1, 0, -1, 0), Uint8Array.of(1, 0, 1, 0), 2);
    expect(empty.precision.every(Number.isFinite)).toBe(true);
    expect((await fitGaussian(new Float32Array(0), [], 2)).mean).toHaveLength(2);
    expect((await fitGaussian(new Float32Array(0), [], 0)).mean).toHaveLength(0);
  });
});

describe('gaussianFill', async () => {
  const p = 3;
  const fit = await fitGaussian(rows(500), new Uint8Array(1500).fill(1), p);
  const mean = Float32Array.from(fit.mean);
  const precision = Float32Array.from(fit.precision);
  const normal = (): [tf.Tensor, tf.Tensor, tf.Tensor] => [
    tf.tensor(mean),
    tf.tensor(precision, [p, p]),
    tf.tensor(Float32Array.from(fit.scale)),
  ];
  const fill = (x: number[][], mask: number[][]): number[][] =>
    tf.tidy(() => gaussianFill(tf.tensor(x), tf.tensor(mask), ...normal()).arraySync() as number[][]);

  it('gives the exact conditional mean', () => {
    const [filled] = fill([[0.5, -1, 99]], [[1, 1, 0]]);
    const exact = mean[2]! - (precision[6]! * (0.5 - mean[0]!) + precision[7]! * (-1 - mean[1]!)) / precision[8]!;
    expect(filled![2]).toBeCloseTo(exact, 4);
  });

  it('solves rows that hide different cells at once', () => {
    const x = [
      [0.5, -1, 0.2],
      [0.5, -1, 0.2],
      [0.5, -1, 0.2],
    ];
    const mask = [
      [0, 1, 0],
      [1, 1, 1],
      [0, 0, 0],
    ];
    const together = fill(x, mask);
    mask.forEach((_, i) => {
      const [alone] = fill([x[i]!], [mask[i]!]);
      alone!.forEach((value, j) => expect(together[i]![j]).toBeCloseTo(value, 5));
    });
    mean.forEach((value, j) => expect(together[2]![j]).toBeCloseTo(value, 5));
  });

  it('leaves observed cells bit for bit', () => {
    const x = [[0.1, -1 / 3, 1e-7]];
    expect(fill(x, [[1, 0, 1]])[0]![0]).toBe(Math.fround(0.1));
    expect(fill(x, [[1, 0, 1]])[0]![2]).toBe(Math.fround(1e-7));
  });

  it('lets no gradient through', () => {
    const gradient = tf.tidy(() =>
      tf
        .grad((x) => tf.sum(gaussianFill(x, tf.zeros([1, p]), ...normal())))(tf.ones([1, p]))
        .arraySync(),
    );
    expect(gradient).toEqual([[0, 0, 0]]);
  });
});

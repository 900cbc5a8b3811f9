import { hostRandom } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { keepFirstLatents } from '../network/corruptions.ts';
import { pcaBase } from '../network/pca-base.ts';
import { encodedColumns } from './support/encoded-columns.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Four columns that vary independently, with deviations 8, 4, 2 and 1: after k components 21, 5, 1 and 0 of 85 are left. */
const table = encodedColumns(
  [8, 4, 2, 1].map((deviation, j) =>
    Array.from({ length: 64 }, (_, i) => ((i >> j) % 2 === 0 ? deviation : -deviation)),
  ),
);
const layout = { numbers: 4, booleans: 0, categories: [], cycles: [] };
const spec = { layout, latentDim: 4, ordered: true } as unknown as Parameters<typeof pcaBase>[1];

describe('ordered latents', () => {
  it('are dropped by what components leave', () => {
    const { values } = pcaBase(table, spec)['skip/pca/dropped']!;
    const often = [21, 5, 1].map((left) => 1 / Math.sqrt(left / 85));
    often.push(1 / Math.sqrt(0.01));
    const total = often.reduce((sum, each) => sum + each);
    [0, often[0]!, often[0]! + often[1]!, total - often[3]!].forEach((before, k) =>
      expect(values[k]).toBeCloseTo(before / total, 5),
    );
  });

  it('have no such shares where they are in no order', () => {
    expect(pcaBase(table, { ...spec, ordered: false })).not.toHaveProperty('skip/pca/dropped');
  });

  it.each([
    ['every size alike', undefined, [1, 0.75, 0.5, 0.25]],
    ['by given shares', [0, 0.1, 0.2, 0.9], [1, 0.9, 0.8, 0.1]],
  ])('keep the first k of a row: %s', (_, dropped, kept) => {
    const rows = 4000;
    const host = hostRandom(1);
    const uniform = (shape: number[]): tf.Tensor =>
      tf.tensor(
        Array.from({ length: rows }, () => host.uniform()),
        shape,
      );
    const random = { uniform } as Parameters<typeof keepFirstLatents>[1];
    const z = keepFirstLatents(tf.ones([rows, 4]), random, dropped && tf.tensor1d(dropped)).arraySync() as number[][];
    kept.forEach((share, j) => expect(z.filter((row) => row[j] === 1).length / rows).toBeCloseTo(share, 1));
    // Nothing stays behind a dimension that is dropped.
    for (const row of z) expect(row.toSorted((a, b) => b - a)).toEqual(row);
  });
});

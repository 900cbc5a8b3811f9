import { describe, expect, it } from 'vitest';
import { nearestNeighbours } from '../nearest-neighbours.ts';
import { neighbourVotes, precisionAtK } from '../neighbour-votes.ts';
import type { NumberMatrix } from '../pca.ts';
import { scoreReconstruction } from '../squared-error.ts';
import { neighbourhoodScore } from '../trustworthiness.ts';

const matrix = (rows: number[][]): NumberMatrix => ({
  rows: rows.length,
  cols: rows[0]!.length,
  data: Float32Array.from(rows.flat()),
});
/** Points that do not repeat, spread without a pattern. */
const scattered = (n: number, d: number): NumberMatrix =>
  matrix(
    Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_, j) => Math.sin(i * 12.9898 + j * 78.233) * 5)),
  );

describe('nearestNeighbours', () => {
  it('gives the rows a sort by distance gives, nearest first', () => {
    const base = scattered(200, 5);
    const queries = scattered(37, 5);
    const { indices, squared } = nearestNeighbours(base, queries, 4);
    for (let q = 0; q < 37; q++) {
      const all = Array.from({ length: 200 }, (_, i) => {
        let sum = 0;
        for (let j = 0; j < 5; j++) sum += (queries.data[q * 5 + j]! - base.data[i * 5 + j]!) ** 2;
        return [sum, i] as const;
      }).sort(([a, i], [b, k]) => a - b || i - k);
      expect([...indices.subarray(q * 4, q * 4 + 4)]).toEqual(all.slice(0, 4).map(([, i]) => i));
      expect(squared[q * 4]).toBeCloseTo(all[0]![0], 9);
    }
  });

  it('leaves a row out of its own neighbours, not its equals', () => {
    const twins = matrix([[0], [0], [3]]);
    expect([...nearestNeighbours(twins, twins, 1, { self: true }).indices]).toEqual([1, 0, 0]);
    expect([...nearestNeighbours(twins, twins, 1).indices]).toEqual([0, 0, 2]);
  });

  it('says how many neighbours there can be, and that widths differ', () => {
    const base = matrix([[0], [1]]);
    expect(() => nearestNeighbours(base, base, 2, { self: true })).toThrow(/2 neighbours asked among 1 rows/);
    expect(() => nearestNeighbours(base, matrix([[0, 1]]), 1)).toThrow(/base has 1 columns, the queries have 2/);
  });
});

it('votes: the most frequent class, of equals the nearest; precision counts all of them', () => {
  const neighbours = { k: 4, indices: Int32Array.from([0, 1, 2, 3]), squared: new Float64Array(4) };
  expect(neighbourVotes(neighbours, ['b', 'a', 'a', 'b'])).toEqual(['b']);
  expect(neighbourVotes(neighbours, ['b', 'a', 'a', 'c'])).toEqual(['a']);
  expect(precisionAtK(neighbours, ['b', 'a', 'a', 'c'], ['a'])).toBe(0.5);
});

describe('neighbourhoodScore', () => {
  it('is 1 for a rotation and much less for rows embedded at random', () => {
    const x = scattered(60, 2);
    const turned = { ...x, data: Float64Array.from(x.data, (_, i) => (i % 2 ? x.data[i - 1]! : -x.data[i + 1]!)) };
    expect(neighbourhoodScore(x, turned, 5)).toEqual({ trustworthiness: 1, continuity: 1 });
    const shuffled = { ...x, data: Float64Array.from(x.data, (_, i) => x.data[(i * i * 31 + 7 * i) % 120]!) };
    expect(neighbourhoodScore(x, shuffled, 5).trustworthiness).toBeLessThan(0.8);
  });

  it('equals scikit-learn 1.9.1 where a plane is folded onto a line', () => {
    // x = [[i % 5, i // 5] for i in range(20)] + tiny offsets that break ties, z = first column.
    const x = matrix(Array.from({ length: 20 }, (_, i) => [(i % 5) + i * 0.001, Math.floor(i / 5) + i * i * 0.0001]));
    const z = matrix(Array.from({ length: 20 }, (_, i) => [(i % 5) + i * 0.001]));
    expect(neighbourhoodScore(x, z, 3).trustworthiness).toBeCloseTo(0.78666667, 6);
    expect(neighbourhoodScore(x, z, 3).continuity).toBeCloseTo(0.84666667, 6);
  });
});

it('a reconstruction by the means explains nothing, the rows themselves everything; missing cells do not count', () => {
  const x = { rows: 2, cols: 2, data: [1, 2, 3, Number.NaN] };
  expect(scoreReconstruction(x, [2, 2, 2, 2], [2, 2])).toEqual({ squaredError: 1, explainedVariance: 0 });
  expect(scoreReconstruction(x, [1, 2, 3, 9], [2, 2])).toEqual({ squaredError: 0, explainedVariance: 1 });
});

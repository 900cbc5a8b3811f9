import { describe, expect, it } from 'vitest';
import { fitPca, type NumberMatrix } from '../pca.ts';
import { movingMedian, neighbourMeans, wienerBasis, wienerRows } from '../row-filters.ts';

const matrix = (rows: number[][]): NumberMatrix => ({
  rows: rows.length,
  cols: rows[0]!.length,
  data: Float64Array.from(rows.flat()),
});

describe('wienerRows', () => {
  it('shrinks each axis by signal / (signal + noise)', () => {
    // Variance 2 along the first axis (over n − 1: 8/3), 0.5 along the second (2/3).
    const clean = matrix([
      [2, 0],
      [-2, 0],
      [0, 1],
      [0, -1],
    ]);
    const answer = wienerRows(matrix([[4, 2]]), wienerBasis(clean), [1])[0]!;
    expect(answer[0]).toBeCloseTo((4 * (8 / 3)) / (8 / 3 + 1), 9);
    expect(answer[1]).toBeCloseTo((2 * (2 / 3)) / (2 / 3 + 1), 9);
  });

  it('leaves rows as they are without noise, and gives the mean where a column does not vary', () => {
    const clean = matrix([
      [1, 5],
      [2, 5],
      [4, 5],
    ]);
    const answer = wienerRows(matrix([[3, 9]]), fitPca(clean, 2), [0])[0]!;
    expect(answer[0]).toBeCloseTo(3, 9);
    expect(answer[1]).toBeCloseTo(5, 9);
  });
});

describe('neighbourMeans', () => {
  const clean = matrix([[0], [1], [10], [11], [30]]);

  it('gives for each k the mean of the k nearest clean rows', () => {
    const [one, two, four] = neighbourMeans(clean, matrix([[0.9], [12]]), [1, 2, 4]);
    expect([...one!]).toEqual([1, 11]);
    expect([...two!]).toEqual([0.5, 10.5]);
    expect([...four!]).toEqual([5.5, 5.5]);
  });

  it('does not ask a row about itself', () => {
    const [one] = neighbourMeans(clean, clean, [1], true);
    expect([...one!]).toEqual([1, 0, 11, 10, 11]);
    expect(() => neighbourMeans(clean, clean, [5], true)).toThrow(/5 neighbours asked among 5 rows/);
  });
});

describe('movingMedian', () => {
  it('takes the middle of the rows around, column by column, fewer at the ends', () => {
    const rows = matrix([
      [1, 0],
      [9, 0],
      [2, 8],
      [3, 0],
    ]);
    expect([...movingMedian(rows, 1)]).toEqual([5, 0, 2, 0, 3, 0, 2.5, 4]);
  });
});

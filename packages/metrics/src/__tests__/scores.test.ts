import { describe, expect, it } from 'vitest';
import { accuracy, knnImpute, mae, r2, rmse, scoreHidden } from '../index.ts';
import { hidden, hiddenCells, masked, scikit, truth } from './scikit.ts';

describe('rmse, mae, r2', () => {
  it('give the numbers of scikit-learn 1.9.1', () => {
    const [t, p] = [hiddenCells(truth), scikit.knn];
    expect(rmse(t, p)).toBeCloseTo(scikit.scores.rmse, 12);
    expect(mae(t, p)).toBeCloseTo(scikit.scores.mae, 12);
    expect(r2(t, p)).toBeCloseTo(scikit.scores.r2, 12);
  });

  it('count the cells of the mask only', () => {
    const mask = [1, 1, 0];
    expect(rmse([0, 0, 0], [3, 4, 1000], mask)).toBeCloseTo(Math.sqrt(12.5), 12);
    expect(mae([0, 0, 0], [3, -4, 1000], mask)).toBe(3.5);
    expect(r2([1, 3, 0], [1, 3, 1000], mask)).toBe(1);
  });

  it('are NaN where nothing counts', () => {
    expect(rmse([1], [2], [0])).toBeNaN();
    expect(mae([], [])).toBeNaN();
    expect(r2([1], [1])).toBeNaN();
  });

  it('r2 of a constant truth is 1 when met and 0 when not', () => {
    expect(r2([2, 2], [2, 2])).toBe(1);
    expect(r2([2, 2], [2, 3])).toBe(0);
  });

  it('name arrays of different lengths', () => {
    expect(() => rmse([1, 2], [1])).toThrow(/`predicted` has 1 values, `truth` has 2/);
  });
});

describe('accuracy', () => {
  it('is the share of equal values among the cells of the mask', () => {
    expect(accuracy(['a', 'b', 'c', 'd'], ['a', 'x', 'c', 'x'])).toBe(0.5);
    expect(accuracy([1, 2, 3], [1, 2, 0], [1, 1, 0])).toBe(1);
    expect(accuracy([], [])).toBeNaN();
  });
});

describe('scoreHidden', () => {
  it('scores all hidden cells together on the truth’s min-max scale', () => {
    const filled = knnImpute(masked);
    const score = scoreHidden(truth, filled, hidden);
    // The fixture is min-max scaled already.
    expect(score.rmse).toBeCloseTo(scikit.scores.rmse, 9);
    expect(score.mae).toBeCloseTo(scikit.scores.mae, 9);
    // Another unit of a column changes nothing.
    const inches = (columns: readonly Float64Array[]): Float64Array[] =>
      columns.map((column, c) => (c === 1 ? column.map((value) => value * 2.54 - 40) : column));
    expect(scoreHidden(inches(truth), inches(filled), hidden).rmse).toBeCloseTo(score.rmse, 12);
  });

  it('gives each column its own score', () => {
    const score = scoreHidden(
      [
        [0, 8, 4],
        [0, 1, 1],
      ],
      [
        [0, 8, 6],
        [0, 1, 1],
      ],
      [
        [0, 0, 1],
        [0, 0, 0],
      ],
    );
    expect(score.columns[0]).toMatchObject({ cells: 1, rmse: 0.25, mae: 0.25 });
    expect(score.columns[1]).toMatchObject({ cells: 0, rmse: Number.NaN });
    expect(score).toMatchObject({ cells: 1, rmse: 0.25 });
  });

  it('leaves cells out whose truth is unknown', () => {
    const score = scoreHidden([[0, 1, Number.NaN]], [[0, 0.5, 0.7]], [[0, 1, 1]]);
    expect(score).toMatchObject({ cells: 1, rmse: 0.5 });
  });

  it('is NaN when a hidden cell was left unfilled', () => {
    expect(scoreHidden([[0, 1]], [[0, Number.NaN]], [[0, 1]]).rmse).toBeNaN();
  });

  it('takes a constant column at its own unit', () => {
    expect(scoreHidden([[7, 7, 7]], [[7, 7, 7]], [[1, 1, 0]])).toMatchObject({ cells: 2, rmse: 0, r2: 1 });
  });
});

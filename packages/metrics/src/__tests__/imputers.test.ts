import { describe, expect, it } from 'vitest';
import { fillColumns, iceImpute, knnImpute } from '../index.ts';
import { distance, hiddenCells, masked, scikit, truth } from './scikit.ts';

const NaNs = (length: number): Float64Array => new Float64Array(length).fill(Number.NaN);

describe('knnImpute', () => {
  it('gives the numbers of scikit-learn 1.9.1 KNNImputer', () => {
    expect(distance(hiddenCells(knnImpute(masked)), scikit.knn)).toBeLessThan(1e-9);
  });

  it('gives the same numbers when rows span several blocks', () => {
    // 30 copies of every row: the nearest five are copies, so a hidden cell that a copy has comes back exactly.
    const copies = 30;
    const tiled = truth.map((column) =>
      Float64Array.from({ length: column.length * copies }, (_, i) => column[i % column.length]!),
    );
    const before = tiled[2]![1700]!;
    tiled[2]![1700] = Number.NaN;
    expect(knnImpute(tiled)[2]![1700]).toBeCloseTo(before, 12);
  });

  it('takes the mean of the k nearest rows that have the cell', () => {
    const x = [Float64Array.of(0, 1, 2, 10, 0.4), Float64Array.of(5, 7, Number.NaN, 100, Number.NaN)];
    const filled = knnImpute(x, { k: 2 });
    expect(filled[1]![4]).toBe(6); // rows 0 and 1
    expect(filled[1]![2]).toBe(6); // row 4 is nearer than row 0 but lacks the cell
  });

  it('fills a row that shares no column with others by the column mean', () => {
    const x = [Float64Array.of(1, 3, Number.NaN), Float64Array.of(Number.NaN, Number.NaN, 7)];
    expect([...knnImpute(x)[0]!]).toEqual([1, 3, 2]);
  });

  it('uses the rows there are when they are fewer than k', () => {
    expect(knnImpute([Float64Array.of(1, 1, 1), Float64Array.of(2, 4, Number.NaN)])[1]![2]).toBe(3);
  });
});

describe('iceImpute', () => {
  it('gives the numbers of scikit-learn 1.9.1 IterativeImputer with BayesianRidge', () => {
    const ice = iceImpute(masked);
    expect(ice.rounds).toBe(scikit.ice.rounds);
    expect(distance(hiddenCells(ice.columns), scikit.ice.cells)).toBeLessThan(1e-6);
  });

  it('finds the plane that the rows lie on', () => {
    const a = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i));
    const b = Float64Array.from({ length: 60 }, (_, i) => Math.cos(3 * i));
    const y = a.map((value, i) => 2 * value - 3 * b[i]! + 0.5);
    const holes = y.map((value, i) => (i % 7 === 0 ? Number.NaN : value));
    expect(distance(iceImpute([a, b, holes]).columns[2]!, y)).toBeLessThan(1e-3);
  });

  it('says when rounds ran out', () => {
    expect(iceImpute(masked, { rounds: 1 }).converged).toBe(false);
  });
});

describe('fillColumns', () => {
  it('gives the numbers of scikit-learn 1.9.1 SimpleImputer', () => {
    expect(distance(hiddenCells(fillColumns(masked, 'mean')), scikit.mean)).toBeLessThan(1e-12);
    expect(distance(hiddenCells(fillColumns(masked, 'median')), scikit.median)).toBeLessThan(1e-12);
  });

  it('takes the smallest of equally frequent values as mode', () => {
    expect([...fillColumns([Float64Array.of(3, 1, 1, 3, Number.NaN, 2)], 'mode')[0]!]).toEqual([3, 1, 1, 3, 1, 2]);
  });
});

describe('every imputer', () => {
  const imputers = {
    mean: (x: Float64Array[]) => fillColumns(x, 'mean'),
    median: (x: Float64Array[]) => fillColumns(x, 'median'),
    mode: (x: Float64Array[]) => fillColumns(x, 'mode'),
    knn: (x: Float64Array[]) => knnImpute(x),
    ice: (x: Float64Array[]) => iceImpute(x).columns,
  };
  for (const [name, impute] of Object.entries(imputers)) {
    it(`${name}: leaves observed cells and its input alone`, () => {
      const before = masked.map((column) => column.slice());
      const filled = impute(masked);
      expect(masked).toEqual(before);
      masked.forEach((column, c) =>
        column.forEach((value, i) => {
          if (!Number.isNaN(value)) expect(filled[c]![i]).toBe(value);
          else expect(filled[c]![i]).toBeTypeOf('number');
        }),
      );
    });

    it(`${name}: leaves a column without any value as it is, fills the others`, () => {
      const filled = impute([Float64Array.of(1, 2, Number.NaN, 4), NaNs(4), Float64Array.of(1, 2, 3, 4)]);
      expect(filled[1]!.every(Number.isNaN)).toBe(true);
      expect(filled[0]![2]).toBeGreaterThan(0);
    });

    it(`${name}: takes a constant column, one row, one column and an empty table`, () => {
      const constant = impute([Float64Array.of(5, 5, Number.NaN), Float64Array.of(1, 2, 3)]);
      expect(constant[0]![2]).toBeCloseTo(5, 6);
      expect([...impute([Float64Array.of(1)])[0]!]).toEqual([1]);
      expect(impute([Float64Array.of(2, Number.NaN)])[0]![1]).toBe(2);
      expect(impute([new Float64Array(0)])[0]).toHaveLength(0);
      expect(impute([])).toEqual([]);
    });
  }

  it('names columns of different lengths', () => {
    expect(() => knnImpute([new Float64Array(2), new Float64Array(3)])).toThrow(/`column 1` has 3 values/);
    expect(() => iceImpute([new Float64Array(2), new Float64Array(3)])).toThrow(/`column 1` has 3 values/);
  });
});

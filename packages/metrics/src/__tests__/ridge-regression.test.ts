import { Matrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { fitRidge } from '../ridge-regression.ts';

/** Numbers that look random, the same every time. */
const noise = (i: number): number => ((Math.sin(i * 12.9898) * 43758.5453) % 1) - 0.5;
const matrix = (rows: number, cols: number) => ({
  rows,
  cols,
  data: Float64Array.from({ length: rows * cols }, (_, i) => noise(i + 1) * (1 + (i % cols)) + (i % cols)),
});
const targets = (rows: number): Float64Array => Float64Array.from({ length: rows }, (_, i) => 7 + noise(i * 3 + 2));

/** The normal equations of centred columns, solved directly. */
function direct({ rows, cols, data }: ReturnType<typeof matrix>, y: Float64Array, penalty: number) {
  const x = new Matrix(Array.from({ length: rows }, (_, i) => [...data.subarray(i * cols, (i + 1) * cols)]));
  const means = x.mean('column');
  const centred = x.clone().center('column');
  const meanY = y.reduce((sum, each) => sum + each / rows, 0);
  const right = centred.transpose().mmul(Matrix.columnVector([...y].map((each) => each - meanY)));
  const left = centred.transpose().mmul(centred).add(Matrix.eye(cols).mul(penalty));
  const coefficients = solve(left, right).to1DArray();
  return { coefficients, intercept: meanY - coefficients.reduce((sum, each, j) => sum + each * means[j]!, 0) };
}

describe('ridge regression', () => {
  it.each([
    [60, 5, 0.5],
    [12, 30, 2],
    [40, 8, 1e-6],
  ])('of %i rows of %i columns solves the normal equations (penalty %d)', (rows, cols, penalty) => {
    const [x, y] = [matrix(rows, cols), targets(rows)];
    const known = direct(x, y, penalty);
    const start = fitRidge(x, y, 100);
    for (const found of [fitRidge(x, y, penalty), fitRidge(x, y, penalty, { start })]) {
      known.coefficients.forEach((each, j) => expect(found.coefficients[j]).toBeCloseTo(each, 6));
      expect(found.intercept).toBeCloseTo(known.intercept, 5);
    }
  });

  it('gives the mean where nothing is to be learned, and refuses no rows', () => {
    const flat = { rows: 4, cols: 2, data: new Float64Array(8).fill(3) };
    expect(fitRidge(flat, [1, 2, 3, 6], 1)).toEqual({ coefficients: new Float64Array(2), intercept: 3 });
    expect(() => fitRidge({ rows: 0, cols: 2, data: new Float64Array() }, [], 1)).toThrow(/expected rows, found none/);
  });
});

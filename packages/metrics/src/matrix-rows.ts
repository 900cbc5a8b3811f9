import type { NumberMatrix } from './pca.ts';

/** At most `count` of the rows 0 … n − 1, evenly spaced, rising. */
export function evenly(n: number, count: number): Int32Array {
  const taken = Math.min(n, count);
  return Int32Array.from({ length: taken }, (_, i) => Math.floor((i * n) / taken));
}

/** Some rows of a matrix, in the order given: `[rows.length, cols]`. */
export function takeRows({ cols, data }: NumberMatrix, rows: ArrayLike<number>): NumberMatrix & { data: Float64Array } {
  const taken = new Float64Array(rows.length * cols);
  for (let i = 0; i < rows.length; i++) for (let j = 0; j < cols; j++) taken[i * cols + j] = data[rows[i]! * cols + j]!;
  return { rows: rows.length, cols, data: taken };
}

/** Means over the cells that are there, `[cols]`; 0 for a column without any. */
export function columnMeans({ rows, cols, data }: NumberMatrix): Float64Array {
  const sum = new Float64Array(cols);
  const count = new Int32Array(cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const value = data[i * cols + j]!;
      if (Number.isNaN(value)) continue;
      count[j]!++;
      sum[j]! += value;
    }
  return sum.map((total, j) => total / Math.max(1, count[j]!));
}

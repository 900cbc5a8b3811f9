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

import {
  classCount,
  FIRST_CATEGORY,
  UNKNOWN_CODE,
  type EncodedTable,
  type Reconstruction,
  type TableEncoder,
} from '@hourglass/autoencoder';

/** Differences below a hundredth of a deviation are rounding, not surprise. */
const FLOOR = 1e-4;

/**
 * Log reconstruction error of every cell, `[n, C]`, NaN where it is missing: log((x − x̂)² / variance) of numbers,
 * log(−log p) of booleans and categories. Errors spread over powers of ten, so it is their logarithm that has a mean.
 */
export function cellErrors(
  { columns }: TableEncoder,
  { rows, x, w, codes }: EncodedTable,
  { values, probabilities }: Pick<Reconstruction, 'values' | 'probabilities'>,
): Float64Array {
  const width = columns.length;
  const p = columns.filter(({ kind }) => kind !== 'category').length;
  const q = width - p;
  const errors = new Float64Array(rows * width).fill(Number.NaN);
  columns.forEach((column, j) => {
    const total = column.kind === 'category' ? column.counts.reduce((sum, count) => sum + count, 0) : 0;
    for (let i = 0; i < rows; i++) {
      if (!(w[i * width + j]! > 0)) continue;
      let error: number;
      if (column.kind === 'category') {
        const code = codes[i * q + (j - p)]!;
        const chance =
          code === UNKNOWN_CODE
            ? 0.5 / (total + 1)
            : probabilities[j - p]![i * classCount(column) + code - FIRST_CATEGORY]!;
        error = -Math.log(Math.max(chance, 1e-9));
      } else {
        const value = x[i * p + j]!;
        const expected = values[i * p + j]!;
        error =
          column.kind === 'boolean'
            ? -Math.log(Math.max(value > 0.5 ? expected : 1 - expected, 1e-9))
            : (value - expected) ** 2 * column.weight;
      }
      errors[i * width + j] = Math.log(error + FLOOR);
    }
  });
  return errors;
}

/** Mean and deviation of each column's log errors on rows that were not trained on. */
export interface ErrorScale {
  mean: number[];
  deviation: number[];
}

export function fitErrorScale(errors: Float64Array, columns: number): ErrorScale {
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let j = 0; j < columns; j++) {
    const own = Array.from({ length: errors.length / columns }, (_, i) => errors[i * columns + j]!).filter(
      (error) => !Number.isNaN(error),
    );
    const middle = own.reduce((sum, error) => sum + error, 0) / Math.max(1, own.length);
    const squares = own.reduce((sum, error) => sum + (error - middle) ** 2, 0) / Math.max(1, own.length);
    mean.push(own.length ? middle : 0);
    // A column that is always met exactly would make any difference infinite: a fifth is a fair least spread of logs.
    deviation.push(Math.max(0.2, Math.sqrt(squares)));
  }
  return { mean, deviation };
}

/** Errors in deviations of their column, in place. */
export function standardiseErrors(errors: Float64Array, { mean, deviation }: ErrorScale): Float64Array {
  const columns = mean.length;
  for (let k = 0; k < errors.length; k++) errors[k] = (errors[k]! - mean[k % columns]!) / deviation[k % columns]!;
  return errors;
}

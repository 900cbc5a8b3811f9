import { evenly } from '@hourglass/metrics';

/** A multivariate normal. */
export interface Gaussian {
  /** `[p]` */
  mean: Float64Array;
  /** Inverse covariance, row-major `[p, p]`. */
  precision: Float64Array;
  /** 1 over the diagonal of the precision, `[p]`: each column's variance given all others. */
  scale: Float64Array;
}

export interface GaussianFitOptions {
  /** Added to the diagonal of the covariance: the ridge of every conditional regression. @default {@link RIDGE} */
  ridge?: number;
  /** Rows used at most, taken evenly. @default so that a round costs about a second */
  maxRows?: number;
  /** @default 30 */
  maxRounds?: number;
  /** Stop when no covariance moves by more. @default 1e-3 */
  tolerance?: number;
  /** Awaited before each round, from 0: wide tables take seconds a round. It may throw to stop. */
  entered?(round: number): Promise<void> | undefined;
}

/** What tables of many rows for their columns need against rounding and columns that repeat each other, and no more. */
export const RIDGE = 0.01;

/** Rows that a fit uses at most: a round costs about a second. */
export const mostRows = (p: number): number => Math.min(20_000, Math.max(1000, Math.floor(1e8 / (p * p))));

/**
 * Fits a multivariate normal to rows with missing cells by expectation maximisation: in every round missing cells are
 * replaced by their conditional mean given the row's observed cells, with the covariance they still have. The
 * conditional means of the fitted normal are ridge regressions of any cells on any others.
 *
 * Plain double arithmetic in a fixed order: the same rows give the same numbers everywhere.
 *
 * @param x - `[n, p]` row-major, normalised (about mean 0, variance 1)
 * @param observed - `[n, p]`, non-zero where `x` is to be believed
 * @see Little & Rubin: Statistical Analysis with Missing Data, 11.2
 */
export async function fitGaussian(
  x: Float32Array,
  observed: ArrayLike<number>,
  p: number,
  options: GaussianFitOptions = {},
): Promise<Gaussian> {
  const { ridge = RIDGE, maxRounds = 30, tolerance = 1e-3, maxRows = mostRows(p) } = options;
  const rows = evenly(p === 0 ? 0 : x.length / p, maxRows);
  const n = rows.length;
  let mean = new Float64Array(p);
  let covariance = identity(p);
  let precision = identity(p);
  const filled = new Float64Array(n * p);
  for (let round = 0; round < maxRounds && n > 0; round++) {
    await options.entered?.(round);
    const next = new Float64Array(p * p);
    rows.forEach((row, r) => {
      const hidden: number[] = [];
      for (let j = 0; j < p; j++)
        if (observed[row * p + j]) filled[r * p + j] = x[row * p + j]!;
        else hidden.push(j);
      if (hidden.length > 0) fillRow(filled, r * p, { mean, precision }, hidden, next);
    });
    const nextMean = new Float64Array(p);
    for (let r = 0; r < n; r++) for (let j = 0; j < p; j++) nextMean[j]! += filled[r * p + j]! / n;
    const centred = new Float64Array(p);
    for (let r = 0; r < n; r++) {
      for (let j = 0; j < p; j++) centred[j] = filled[r * p + j]! - nextMean[j]!;
      for (let a = 0; a < p; a++) {
        const value = centred[a]!;
        for (let b = 0; b <= a; b++) next[a * p + b]! += value * centred[b]!;
      }
    }
    let moved = 0;
    for (let a = 0; a < p; a++)
      for (let b = 0; b <= a; b++) {
        const value = next[a * p + b]! / n + (a === b ? ridge : 0);
        moved = Math.max(moved, Math.abs(value - covariance[a * p + b]!));
        next[a * p + b] = next[b * p + a] = value;
      }
    mean = nextMean;
    covariance = next;
    precision = inverse(covariance, p);
    if (moved < tolerance) break;
  }
  return { mean, precision, scale: mean.map((_, j) => 1 / precision[j * p + j]!) };
}

/**
 * Conditional means of the hidden cells of one row, in place; their conditional covariance is added to the lower
 * triangle of `sum`.
 * @param at - where the row begins
 * @param hidden - its hidden columns, ascending
 */
export function fillRow(
  filled: Float64Array,
  at: number,
  { mean, precision }: Pick<Gaussian, 'mean' | 'precision'>,
  hidden: readonly number[],
  sum?: Float64Array,
): void {
  const p = mean.length;
  const h = hidden.length;
  const isHidden = new Uint8Array(p);
  for (const j of hidden) isHidden[j] = 1;
  const block = new Float64Array(h * h);
  const right = new Float64Array(h);
  for (let a = 0; a < h; a++) {
    const row = hidden[a]! * p;
    for (let b = 0; b < h; b++) block[a * h + b] = precision[row + hidden[b]!]!;
    for (let j = 0; j < p; j++) if (!isHidden[j]) right[a]! -= precision[row + j]! * (filled[at + j]! - mean[j]!);
  }
  const covariance = inverse(block, h);
  for (let a = 0; a < h; a++) {
    let value = mean[hidden[a]!]!;
    for (let b = 0; b < h; b++) value += covariance[a * h + b]! * right[b]!;
    filled[at + hidden[a]!] = value;
    // Hidden columns ascend, so b ≤ a is the lower triangle.
    if (sum) for (let b = 0; b <= a; b++) sum[hidden[a]! * p + hidden[b]!]! += covariance[a * h + b]!;
  }
}

/** Inverse of a symmetric positive definite matrix by its Cholesky factor. */
function inverse(matrix: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const l = new Float64Array(size * size);
  for (let a = 0; a < size; a++)
    for (let b = 0; b <= a; b++) {
      let sum = matrix[a * size + b]!;
      for (let k = 0; k < b; k++) sum -= l[a * size + k]! * l[b * size + k]!;
      // The ridge keeps every pivot above 0; the floor only guards against rounding.
      l[a * size + b] = a === b ? Math.sqrt(Math.max(sum, 1e-12)) : sum / l[b * size + b]!;
    }
  // L⁻¹ by its columns, so that the long loops walk through neighbouring numbers.
  const columns = new Float64Array(size * size);
  for (let column = 0; column < size; column++)
    for (let a = column; a < size; a++) {
      let sum = a === column ? 1 : 0;
      for (let k = column; k < a; k++) sum -= l[a * size + k]! * columns[column * size + k]!;
      columns[column * size + a] = sum / l[a * size + a]!;
    }
  const result = new Float64Array(size * size);
  for (let a = 0; a < size; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let k = a; k < size; k++) sum += columns[a * size + k]! * columns[b * size + k]!;
      result[a * size + b] = result[b * size + a] = sum;
    }
  return result;
}

function identity(p: number): Float64Array<ArrayBuffer> {
  const matrix = new Float64Array(p * p);
  for (let j = 0; j < p; j++) matrix[j * p + j] = 1;
  return matrix;
}

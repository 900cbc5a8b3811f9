import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

/** A mixture of k normal distributions in d dimensions. */
export interface GaussianMixture {
  dims: number;
  /** `[k]`, adding up to 1. */
  weights: Float64Array;
  /** `[k, d]` */
  means: Float64Array;
  /** Lower Cholesky factor of each covariance, `[k, d, d]`. */
  factors: Float64Array;
}

export interface MixtureOptions {
  components: number;
  /** Rounds of expectation maximisation at most. @default 100 */
  iterations?: number;
  /** Stop once the mean log density grows by less. @default 1e-4 */
  tolerance?: number;
  /** Added to each variance, as a share of the column's. @default 1e-3 */
  ridge?: number;
}

const LOG_TWO_PI = Math.log(2 * Math.PI);

/**
 * Fits a mixture with full covariances by expectation maximisation, begun at rows far from each other (k-means++).
 * @param uniform - random numbers in [0, 1): the fit depends on nothing else
 * @throws DATA_INSUFFICIENT for fewer rows than components
 * @see Dempster, Laird, Rubin: Maximum likelihood from incomplete data via the EM algorithm. JRSS B 39, 1977
 */
export function fitGaussianMixture(
  x: NumberMatrix,
  uniform: () => number,
  { components: k, iterations = 100, tolerance = 1e-4, ridge = 1e-3 }: MixtureOptions,
): GaussianMixture {
  const { rows: n } = x;
  if (n < k || k < 1)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `fitGaussianMixture: ${k} components asked of ${n} rows; ask for 1 to ${n}`,
    );
  const floor = variances(x).map((variance) => Math.max(variance * ridge, 1e-12));
  const owner = nearestCentre(x, spreadCentres(x, uniform, k));
  const shares = new Float64Array(n * k);
  for (let i = 0; i < n; i++) shares[i * k + owner[i]!] = 1;
  let mixture = maximise(x, shares, k, floor);
  let before = -Infinity;
  for (let round = 0; round < iterations; round++) {
    const density = expect(mixture, x, shares);
    if (density - before < tolerance) break;
    before = density;
    mixture = maximise(x, shares, k, floor);
  }
  return mixture;
}

/** Log density of each row, `[n]`. */
export function mixtureLogDensity(mixture: GaussianMixture, x: NumberMatrix): Float64Array {
  const k = mixture.weights.length;
  const out = new Float64Array(x.rows);
  const logs = componentLogs(mixture, x);
  for (let i = 0; i < x.rows; i++) out[i] = logSumExp(logs, i * k, k);
  return out;
}

/** Chance that a row came from each component, `[n, k]`. */
export function mixtureShares(mixture: GaussianMixture, x: NumberMatrix): Float64Array {
  const shares = new Float64Array(x.rows * mixture.weights.length);
  expect(mixture, x, shares);
  return shares;
}

/** Draws `[n, d]` rows. @param random - uniform in [0, 1) and standard normal numbers */
export function sampleMixture(
  { dims: d, weights, means, factors }: GaussianMixture,
  n: number,
  random: { uniform(): number; normal(): number },
): Float64Array {
  const out = new Float64Array(n * d);
  const noise = new Float64Array(d);
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    let c = 0;
    for (let total = weights[0]!; total <= u && c < weights.length - 1; total += weights[++c]!);
    for (let a = 0; a < d; a++) noise[a] = random.normal();
    for (let a = 0; a < d; a++) {
      let sum = means[c * d + a]!;
      for (let b = 0; b <= a; b++) sum += factors[(c * d + a) * d + b]! * noise[b]!;
      out[i * d + a] = sum;
    }
  }
  return out;
}

function variances({ rows, cols, data }: NumberMatrix): Float64Array {
  const mean = new Float64Array(cols);
  const out = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) mean[j]! += data[i * cols + j]! / rows;
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j]! += (data[i * cols + j]! - mean[j]!) ** 2 / rows;
  return out;
}

/** Rows far from each other: each next one with a chance that grows with its distance from those chosen. */
function spreadCentres({ rows: n, cols: d, data }: NumberMatrix, uniform: () => number, k: number): number[] {
  const centres = [Math.floor(uniform() * n)];
  const nearest = new Float64Array(n).fill(Infinity);
  while (centres.length < k) {
    const last = centres.at(-1)! * d;
    let total = 0;
    for (let i = 0; i < n; i++) {
      let distance = 0;
      for (let j = 0; j < d; j++) distance += (data[i * d + j]! - data[last + j]!) ** 2;
      nearest[i] = Math.min(nearest[i]!, distance);
      total += nearest[i]!;
    }
    let left = uniform() * total;
    let next = 0;
    while (next < n - 1 && (left -= nearest[next]!) > 0) next++;
    centres.push(next);
  }
  return centres;
}

function nearestCentre({ rows: n, cols: d, data }: NumberMatrix, centres: number[]): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => {
    let best = 0;
    let least = Infinity;
    centres.forEach((centre, c) => {
      let distance = 0;
      for (let j = 0; j < d; j++) distance += (data[i * d + j]! - data[centre * d + j]!) ** 2;
      if (distance < least) [best, least] = [c, distance];
    });
    return best;
  });
}

/** Shares of each row's components in place. @returns mean log density */
function expect(mixture: GaussianMixture, x: NumberMatrix, shares: Float64Array): number {
  const k = mixture.weights.length;
  shares.set(componentLogs(mixture, x));
  let total = 0;
  for (let i = 0; i < x.rows; i++) {
    const log = logSumExp(shares, i * k, k);
    total += log;
    for (let c = 0; c < k; c++) shares[i * k + c] = Math.exp(shares[i * k + c]! - log);
  }
  return total / Math.max(1, x.rows);
}

function maximise({ rows: n, cols: d, data }: NumberMatrix, shares: Float64Array, k: number, floor: Float64Array) {
  const weights = new Float64Array(k);
  const means = new Float64Array(k * d);
  const factors = new Float64Array(k * d * d);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < k; c++) {
      const share = shares[i * k + c]!;
      if (share < 1e-8) continue;
      weights[c]! += share;
      for (let j = 0; j < d; j++) means[c * d + j]! += share * data[i * d + j]!;
    }
  for (let c = 0; c < k; c++) for (let j = 0; j < d; j++) means[c * d + j]! /= Math.max(weights[c]!, 1e-300);
  const centred = new Float64Array(d);
  for (let i = 0; i < n; i++)
    for (let c = 0; c < k; c++) {
      const share = shares[i * k + c]!;
      if (share < 1e-8) continue;
      for (let j = 0; j < d; j++) centred[j] = data[i * d + j]! - means[c * d + j]!;
      for (let a = 0; a < d; a++) {
        const scaled = share * centred[a]!;
        const row = (c * d + a) * d;
        for (let b = 0; b <= a; b++) factors[row + b]! += scaled * centred[b]!;
      }
    }
  for (let c = 0; c < k; c++) {
    const count = Math.max(weights[c]!, 1e-300);
    for (let a = 0; a < d; a++) {
      for (let b = 0; b <= a; b++) factors[(c * d + a) * d + b]! /= count;
      factors[(c * d + a) * d + a]! += floor[a]!;
    }
    cholesky(factors, c * d * d, d);
    weights[c] = weights[c]! / n;
  }
  return { dims: d, weights, means, factors };
}

/** The lower Cholesky factor of the symmetric matrix at `from`, in place of its lower half; the upper one becomes 0. */
export function cholesky(matrix: Float64Array, from: number, d: number): void {
  for (let a = 0; a < d; a++)
    for (let b = 0; b < d; b++) {
      const at = from + a * d + b;
      if (b > a) {
        matrix[at] = 0;
        continue;
      }
      let sum = matrix[at]!;
      for (let j = 0; j < b; j++) sum -= matrix[from + a * d + j]! * matrix[from + b * d + j]!;
      matrix[at] = a === b ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[from + b * d + b]!;
    }
}

/** log(weight · density) of each row and component, `[n, k]`. */
function componentLogs({ weights, means, factors }: GaussianMixture, { rows: n, cols: d, data }: NumberMatrix) {
  const k = weights.length;
  const logs = new Float64Array(n * k);
  const solved = new Float64Array(d);
  for (let c = 0; c < k; c++) {
    let constant = Math.log(Math.max(weights[c]!, 1e-300)) - 0.5 * d * LOG_TWO_PI;
    for (let a = 0; a < d; a++) constant -= Math.log(factors[(c * d + a) * d + a]!);
    for (let i = 0; i < n; i++) {
      let squares = 0;
      for (let a = 0; a < d; a++) {
        const row = (c * d + a) * d;
        let sum = data[i * d + a]! - means[c * d + a]!;
        for (let b = 0; b < a; b++) sum -= factors[row + b]! * solved[b]!;
        solved[a] = sum / factors[row + a]!;
        squares += solved[a]! * solved[a]!;
      }
      logs[i * k + c] = constant - 0.5 * squares;
    }
  }
  return logs;
}

function logSumExp(values: Float64Array, from: number, count: number): number {
  let most = -Infinity;
  for (let c = 0; c < count; c++) most = Math.max(most, values[from + c]!);
  let sum = 0;
  for (let c = 0; c < count; c++) sum += Math.exp(values[from + c]! - most);
  return most + Math.log(sum);
}

import { HourglassError } from '@hourglass/core';
import { dot } from './dot.ts';
import type { NumberMatrix } from './pca.ts';

/** A fitted multinomial logistic regression: logits = x · weights + bias. */
export interface LogisticModel {
  /** `[p, classes]` row-major. */
  weights: Float64Array;
  /** `[classes]` */
  bias: Float64Array;
  classes: number;
}

export interface LogisticOptions {
  /** Weight of the data against the penalty, C. @default 1 */
  c?: number;
  /** Steps at most. @default 100 */
  iterations?: number;
  /** Stop once no entry of the gradient of the mean loss is larger. @default 1e-4 */
  tolerance?: number;
  /** Where to begin, such as the solution for another penalty. @default zeros */
  start?: LogisticModel;
}

/** Pairs of steps that approximate the curvature. */
const MEMORY = 8;

/**
 * Multinomial logistic regression with scikit-learn's penalty: minimises C · Σ cross-entropy + ½‖weights‖², by L-BFGS
 * with backtracking. Bring the columns to one scale first.
 * @param labels - class of each row, 0 … classes − 1
 * @throws DATA_INSUFFICIENT for fewer than two classes or no rows
 * @see Liu, Nocedal: On the limited memory BFGS method for large scale optimization. Mathematical Programming 45, 1989
 */
export function fitLogistic(
  x: NumberMatrix,
  labels: ArrayLike<number>,
  classes: number,
  { c = 1, iterations = 100, tolerance = 1e-4, start }: LogisticOptions = {},
): LogisticModel {
  const { rows: n, cols: p } = x;
  if (n === 0 || classes < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `fitLogistic: expected rows of at least two classes, found ${n} rows of ${classes}`,
    );
  const size = (p + 1) * classes;
  const penalty = 1 / (c * n);
  const gradient = new Float64Array(size);
  const errors = new Float64Array(n * classes);
  /** Mean loss at `at`; its gradient goes to `gradient`. The last `classes` parameters are the bias. */
  const evaluate = (at: Float64Array): number => {
    softmax(errors, at, x, classes);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const own = i * classes + labels[i]!;
      loss -= Math.log(Math.max(errors[own]!, 1e-300));
      errors[own]! -= 1;
    }
    gradient.fill(0);
    addTransposed(gradient, x, errors, classes);
    for (let at = 0; at < errors.length; at += classes)
      for (let k = 0; k < classes; k++) gradient[p * classes + k]! += errors[at + k]!;
    let squares = 0;
    for (let w = 0; w < size; w++) {
      gradient[w]! /= n;
      if (w >= p * classes) continue;
      squares += at[w]! ** 2;
      gradient[w]! += penalty * at[w]!;
    }
    return loss / n + 0.5 * penalty * squares;
  };
  let point = new Float64Array(size);
  if (start) {
    point.set(start.weights);
    point.set(start.bias, p * classes);
  }
  let value = evaluate(point);
  let slope = gradient.slice();
  const history: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let round = 0; round < iterations; round++) {
    if (slope.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0) < tolerance) break;
    const direction = twoLoop(slope, history);
    const along = dot(direction, slope);
    let step = round === 0 ? 1 / Math.sqrt(dot(slope, slope)) : 1;
    let next = point;
    let found = Infinity;
    for (let tries = 0; tries < 30; tries++, step /= 2) {
      next = point.map((entry, w) => entry - step * direction[w]!);
      found = evaluate(next);
      if (found <= value - 1e-4 * step * along) break;
    }
    if (!(found < value)) break;
    const s = next.map((entry, w) => entry - point[w]!);
    const y = gradient.map((entry, w) => entry - slope[w]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12) {
      history.push({ s, y, rho: 1 / curvature });
      if (history.length > MEMORY) history.shift();
    }
    point = next;
    value = found;
    slope = gradient.slice();
  }
  return { weights: point.slice(0, p * classes), bias: point.slice(p * classes), classes };
}

/** Probabilities `[n, classes]`. */
export function logisticProbabilities({ weights, bias, classes }: LogisticModel, x: NumberMatrix): Float64Array {
  const parameters = new Float64Array(weights.length + classes);
  parameters.set(weights);
  parameters.set(bias, weights.length);
  const probabilities = new Float64Array(x.rows * classes);
  softmax(probabilities, parameters, x, classes);
  return probabilities;
}

/** Class of each row by the largest probability, the first of equals. */
export function mostProbable(probabilities: Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, i) => {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if (probabilities[i * classes + k]! > probabilities[i * classes + best]!) best = k;
    return best;
  });
}

/** Probabilities of all rows. Four rows of weights at a time: each sum is then loaded and stored a quarter as often. */
function softmax(
  out: Float64Array,
  parameters: Float64Array,
  { rows, cols, data }: NumberMatrix,
  classes: number,
): void {
  const whole = cols - (cols % 4);
  for (let i = 0, at = 0; i < rows; i++, at += classes) {
    for (let k = 0; k < classes; k++) out[at + k] = parameters[cols * classes + k]!;
    for (let j = 0; j < cols; j += j < whole ? 4 : 1) {
      const from = i * cols + j;
      const w = j * classes;
      if (j < whole) {
        const [a, b, c, d] = [data[from]!, data[from + 1]!, data[from + 2]!, data[from + 3]!];
        for (let k = 0; k < classes; k++)
          out[at + k]! +=
            a * parameters[w + k]! +
            b * parameters[w + classes + k]! +
            c * parameters[w + 2 * classes + k]! +
            d * parameters[w + 3 * classes + k]!;
      } else for (let k = 0; k < classes; k++) out[at + k]! += data[from]! * parameters[w + k]!;
    }
    let largest = -Infinity;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, out[at + k]!);
    let total = 0;
    for (let k = 0; k < classes; k++) total += out[at + k] = Math.exp(out[at + k]! - largest);
    for (let k = 0; k < classes; k++) out[at + k]! /= total;
  }
}

/** Adds xᵀ · errors `[p, classes]` to `sum`, four rows of x at a time. */
function addTransposed(
  sum: Float64Array,
  { rows, cols, data }: NumberMatrix,
  errors: Float64Array,
  classes: number,
): void {
  const whole = rows - (rows % 4);
  for (let i = 0; i < rows; i += i < whole ? 4 : 1) {
    const e = i * classes;
    for (let j = 0; j < cols; j++) {
      const from = i * cols + j;
      const w = j * classes;
      if (i < whole) {
        const [a, b, c, d] = [data[from]!, data[from + cols]!, data[from + 2 * cols]!, data[from + 3 * cols]!];
        for (let k = 0; k < classes; k++)
          sum[w + k]! +=
            a * errors[e + k]! +
            b * errors[e + classes + k]! +
            c * errors[e + 2 * classes + k]! +
            d * errors[e + 3 * classes + k]!;
      } else for (let k = 0; k < classes; k++) sum[w + k]! += data[from]! * errors[e + k]!;
    }
  }
}

/** The inverse curvature times the slope. */
function twoLoop(slope: Float64Array, history: { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = slope.slice();
  const alphas: number[] = [];
  for (const { s, y, rho } of history.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    for (let w = 0; w < q.length; w++) q[w]! -= alpha * y[w]!;
  }
  const last = history.at(-1);
  const scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1;
  for (let w = 0; w < q.length; w++) q[w]! *= scale;
  history.forEach(({ s, y, rho }, i) => {
    const beta = rho * dot(y, q);
    for (let w = 0; w < q.length; w++) q[w]! += (alphas[i]! - beta) * s[w]!;
  });
  return q;
}

import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

/** A fitted multinomial logistic regression: logits = x · weights + bias. */
export interface LogisticModel {
  /** `[p, classes]` row-major. */
  weights: Float64Array;
  /** `[classes]` */
  bias: Float64Array;
  classes: number;
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
  { c = 1, iterations = 100, tolerance = 1e-5 }: { c?: number; iterations?: number; tolerance?: number } = {},
): LogisticModel {
  const { rows: n, cols: p, data } = x;
  if (n === 0 || classes < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `fitLogistic: expected rows of at least two classes, found ${n} rows of ${classes}`,
    );
  const size = (p + 1) * classes;
  const penalty = 1 / (c * n);
  const gradient = new Float64Array(size);
  const logits = new Float64Array(classes);
  /** Mean loss at `at`; its gradient goes to `gradient`. The last `classes` parameters are the bias. */
  const evaluate = (at: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      softmaxInto(logits, at, data, i, p, classes);
      loss -= Math.log(Math.max(logits[labels[i]!]!, 1e-300));
      logits[labels[i]!]! -= 1;
      for (let j = 0; j < p; j++) {
        const value = data[i * p + j]!;
        if (value === 0) continue;
        for (let k = 0, w = j * classes; k < classes; k++, w++) gradient[w]! += value * logits[k]!;
      }
      for (let k = 0; k < classes; k++) gradient[p * classes + k]! += logits[k]!;
    }
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
  for (let i = 0; i < x.rows; i++)
    softmaxInto(probabilities.subarray(i * classes, (i + 1) * classes), parameters, x.data, i, x.cols, classes);
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

function softmaxInto(
  out: Float64Array,
  parameters: Float64Array,
  data: ArrayLike<number>,
  row: number,
  p: number,
  classes: number,
): void {
  for (let k = 0; k < classes; k++) out[k] = parameters[p * classes + k]!;
  for (let j = 0; j < p; j++) {
    const value = data[row * p + j]!;
    if (value === 0) continue;
    for (let k = 0, w = j * classes; k < classes; k++, w++) out[k]! += value * parameters[w]!;
  }
  let largest = -Infinity;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, out[k]!);
  let total = 0;
  for (let k = 0; k < classes; k++) total += out[k] = Math.exp(out[k]! - largest);
  for (let k = 0; k < classes; k++) out[k]! /= total;
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

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

import {
  accuracy,
  fitLogistic,
  logisticProbabilities,
  mostProbable,
  takeRows,
  type LogisticModel,
  type NumberMatrix,
} from '@hourglass/metrics';

/** Penalties tried: weights of the data against that of the coefficients. */
const PENALTIES = [0.01, 0.1, 1];

/** Logistic regression whose penalty is the best on rows put aside, fitted anew on all rows. */
export function fitHead(
  x: NumberMatrix,
  labels: Int32Array,
  classes: number,
  aside: Set<number>,
  iterations = 80,
): { model: LogisticModel; c: number; held: LogisticModel } {
  const all = Array.from(labels.keys());
  const fit = all.filter((row) => !aside.has(row));
  const judge = all.filter((row) => aside.has(row));
  const [xFit, xJudge] = [takeRows(x, fit), takeRows(x, judge)];
  const yFit = Int32Array.from(fit, (row) => labels[row]!);
  const yJudge = Int32Array.from(judge, (row) => labels[row]!);
  let start: LogisticModel | undefined;
  let best: { c: number; score: number; held: LogisticModel } | undefined;
  for (const c of PENALTIES) {
    // The solution of a stronger penalty is a good place to begin.
    const held: LogisticModel = fitLogistic(xFit, yFit, classes, { c, iterations, start });
    start = held;
    const probabilities = logisticProbabilities(held, xJudge);
    // Accuracy decides, likelihood between equals.
    const score =
      accuracy(yJudge, mostProbable(probabilities, classes)) - 1e-3 * logLoss(probabilities, yJudge, classes);
    if (!best || score > best.score) best = { c, score, held };
  }
  const { c, held } = best!;
  return { model: fitLogistic(x, labels, classes, { c, iterations, start: held }), c, held };
}

/** Mean −log of the probability of the true class. */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum -= Math.log(Math.max(probabilities[i * classes + labels[i]!]!, 1e-12));
  return sum / labels.length;
}

/** Probabilities with their logits divided by the temperature. */
export function tempered(probabilities: ArrayLike<number>, classes: number, temperature: number): Float64Array {
  const out = Float64Array.from(probabilities, (p) => Math.max(p, 1e-300) ** (1 / temperature));
  for (let i = 0; i < out.length; i += classes) {
    let total = 0;
    for (let k = 0; k < classes; k++) total += out[i + k]!;
    for (let k = 0; k < classes; k++) out[i + k]! /= total;
  }
  return out;
}

/**
 * The temperature with the least log loss, by golden section on its logarithm, between 1/20 and 20.
 * Source: Guo et al.: On calibration of modern neural networks (ICML 2017).
 */
export function fitTemperature(probabilities: Float64Array, labels: ArrayLike<number>, classes: number): number {
  const loss = (log: number): number => logLoss(tempered(probabilities, classes, Math.exp(log)), labels, classes);
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-Math.log(20), Math.log(20)];
  for (let round = 0; round < 40; round++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

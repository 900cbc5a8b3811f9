import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { LinearModel } from './linear-model.ts';

/** Sufficient statistics of a regression: all that {@link bayesianRidge} needs of the rows. */
export interface RegressionMoments {
  n: number;
  /** Means of the predictors, `[p]`. */
  meanX: Float64Array;
  meanY: number;
  /** Centred XᵀX, row-major `[p, p]`. */
  gram: Float64Array;
  /** Centred Xᵀy, `[p]`. */
  xty: Float64Array;
  /** Centred yᵀy. */
  yty: number;
}

// scikit-learn's defaults: at most 300 rounds, until the coefficients move by less than 1e-3 in all; Gamma(1e-6, 1e-6)
// priors on both precisions.
const ROUNDS = 300;
const TOLERANCE = 1e-3;
const PRIOR = 1e-6;

/**
 * Linear regression whose ridge penalty is chosen by the evidence, as scikit-learn's `BayesianRidge` with its defaults.
 * @see MacKay: Bayesian Interpolation. Neural Computation 4(3), 1992
 */
export function bayesianRidge({ n, meanX, meanY, gram, xty, yty }: RegressionMoments): LinearModel {
  const p = meanX.length;
  const decomposition = new EigenvalueDecomposition(Matrix.from1DArray(p, p, gram), { assumeSymmetric: true });
  const v = decomposition.eigenvectorMatrix.to1DArray(); // [p, p], eigenvectors in columns
  const largest = Math.max(...decomposition.realEigenvalues, 0);
  const eigenvalues = Float64Array.from(decomposition.realEigenvalues, (e) => (e > largest * p * 1e-16 ? e : 0));
  const rotated = new Float64Array(p); // Vᵀ Xᵀy
  for (let i = 0; i < p; i++) for (let j = 0; j < p; j++) if (eigenvalues[j]) rotated[j]! += v[i * p + j]! * xty[i]!;

  let alpha = 1 / (yty / n + Number.EPSILON);
  let lambda = 1;
  let coefficients = new Float64Array(p);
  const solve = (): { coefficients: Float64Array<ArrayBuffer>; squared: number; sse: number } => {
    const w = new Float64Array(p); // coefficients in the eigenbasis
    let squared = 0;
    let sse = yty;
    for (let j = 0; j < p; j++) {
      w[j] = rotated[j]! / (eigenvalues[j]! + lambda / alpha);
      squared += w[j]! ** 2;
      sse += w[j]! * (eigenvalues[j]! * w[j]! - 2 * rotated[j]!);
    }
    const solved = new Float64Array(p);
    for (let i = 0; i < p; i++) for (let j = 0; j < p; j++) solved[i]! += v[i * p + j]! * w[j]!;
    // A perfect fit leaves a difference of rounding errors, which may be negative.
    return { coefficients: solved, squared, sse: Math.max(0, sse) };
  };

  for (let round = 0; round < ROUNDS; round++) {
    const next = solve();
    let gamma = 0;
    for (const e of eigenvalues) gamma += (alpha * e) / (lambda + alpha * e);
    lambda = (gamma + 2 * PRIOR) / (next.squared + 2 * PRIOR);
    alpha = (n - gamma + 2 * PRIOR) / (next.sse + 2 * PRIOR);
    let moved = 0;
    for (let i = 0; i < p; i++) moved += Math.abs(next.coefficients[i]! - coefficients[i]!);
    coefficients = next.coefficients;
    if (round > 0 && moved < TOLERANCE) break;
  }
  coefficients = solve().coefficients;
  let intercept = meanY;
  for (let i = 0; i < p; i++) intercept -= meanX[i]! * coefficients[i]!;
  return { coefficients, intercept };
}

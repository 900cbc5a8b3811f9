import type { NumberMatrix } from './pca.ts';

/** A fitted linear model: prediction = intercept + x · coefficients. */
export interface LinearModel {
  coefficients: Float64Array;
  intercept: number;
}

/** Its predictions for rows of `[n, p]`, `[n]`. */
export const linearPredictions = (
  { coefficients, intercept }: LinearModel,
  { rows, cols, data }: NumberMatrix,
): Float64Array =>
  Float64Array.from({ length: rows }, (_, row) =>
    coefficients.reduce((sum, each, j) => sum + each * data[row * cols + j]!, intercept),
  );

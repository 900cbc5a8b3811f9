import type { LinearModel, NumberMatrix } from '@hourglass/metrics';

/** intercept + x · coefficients, `[n]`. */
export const linearAnswers = (
  { coefficients, intercept }: LinearModel,
  { rows, cols, data }: NumberMatrix,
): Float64Array =>
  Float64Array.from({ length: rows }, (_, row) =>
    coefficients.reduce((sum, each, j) => sum + each * data[row * cols + j]!, intercept),
  );

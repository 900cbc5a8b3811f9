import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

export interface ReconstructionScore {
  /** Sum of squared differences of a row, mean over rows. */
  squaredError: number;
  /** 1 − squared error / squared distance from `mean`, summed over all cells; NaN where nothing varies. */
  explainedVariance: number;
}

/**
 * Scores reconstructed rows. Cells missing in `x` (NaN) do not count.
 * @param mean - of each column, where "nothing explained" stands: of the rows that were learned from
 */
export function scoreReconstruction(
  x: NumberMatrix,
  xHat: ArrayLike<number>,
  mean: ArrayLike<number>,
): ReconstructionScore {
  const { rows, cols, data } = x;
  if (xHat.length !== rows * cols || mean.length !== cols)
    throw new HourglassError(
      'CALL_INVALID',
      `scoreReconstruction: expected ${rows * cols} cells and ${cols} means, found ${xHat.length} and ${mean.length}`,
    );
  let error = 0;
  let total = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const value = data[i * cols + j]!;
      if (Number.isNaN(value)) continue;
      error += (value - xHat[i * cols + j]!) ** 2;
      total += (value - mean[j]!) ** 2;
    }
  return { squaredError: error / rows, explainedVariance: total > 0 ? 1 - error / total : Number.NaN };
}

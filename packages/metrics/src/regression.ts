import { checkLengths } from './check-lengths.ts';

type Numbers = ArrayLike<number>;

/**
 * Root of the mean squared difference.
 * @param mask - non-zero where a cell counts; all of them when left out
 * @returns NaN when no cell counts
 * @throws CALL_INVALID when lengths differ
 */
export function rmse(truth: Numbers, predicted: Numbers, mask?: Numbers): number {
  return Math.sqrt(meanOver(truth, predicted, mask, (difference) => difference * difference));
}

/** Mean absolute difference; see {@link rmse} for mask and errors. */
export function mae(truth: Numbers, predicted: Numbers, mask?: Numbers): number {
  return meanOver(truth, predicted, mask, Math.abs);
}

/**
 * Coefficient of determination, 1 − SS_res / SS_tot. As scikit-learn's `r2_score`: a constant truth gives 1 when it is
 * met exactly and 0 when not.
 * @returns NaN for fewer than two cells
 * @throws CALL_INVALID when lengths differ
 */
export function r2(truth: Numbers, predicted: Numbers, mask?: Numbers): number {
  checkLengths('r2', { truth, predicted, mask });
  let count = 0;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    if (mask && !mask[i]) continue;
    count++;
    sum += truth[i]!;
  }
  if (count < 2) return Number.NaN;
  const mean = sum / count;
  let residual = 0;
  let total = 0;
  for (let i = 0; i < truth.length; i++) {
    if (mask && !mask[i]) continue;
    residual += (truth[i]! - predicted[i]!) ** 2;
    total += (truth[i]! - mean) ** 2;
  }
  if (total === 0) return residual === 0 ? 1 : 0;
  return 1 - residual / total;
}

function meanOver(
  truth: Numbers,
  predicted: Numbers,
  mask: Numbers | undefined,
  of: (difference: number) => number,
): number {
  checkLengths('rmse and mae', { truth, predicted, mask });
  let count = 0;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    if (mask && !mask[i]) continue;
    count++;
    sum += of(truth[i]! - predicted[i]!);
  }
  return count ? sum / count : Number.NaN;
}

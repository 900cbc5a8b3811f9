import { checkLengths } from './check-lengths.ts';

/**
 * Share of cells whose value (category code, class, string) equals the truth.
 * @param mask - non-zero where a cell counts; all of them when left out
 * @returns NaN when no cell counts
 * @throws CALL_INVALID when lengths differ
 */
export function accuracy<T>(truth: ArrayLike<T>, predicted: ArrayLike<T>, mask?: ArrayLike<number>): number {
  checkLengths('accuracy', { truth, predicted, mask });
  let count = 0;
  let right = 0;
  for (let i = 0; i < truth.length; i++) {
    if (mask && !mask[i]) continue;
    count++;
    if (truth[i] === predicted[i]) right++;
  }
  return count ? right / count : Number.NaN;
}

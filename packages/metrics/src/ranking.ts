import { checkLengths } from './check-lengths.ts';

/**
 * Area under the ROC curve: the chance that a positive row scores higher than a negative one, ties counting half.
 * @param labels - non-zero for positives
 * @returns NaN when there are no positives or no negatives
 */
export function auroc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  checkLengths('auroc', { labels, scores });
  const order = descending(scores);
  let positives = 0;
  let negatives = 0;
  let wins = 0; // positives above negatives
  for (let start = 0; start < order.length;) {
    let end = start;
    let up = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) if (labels[order[end++]!]) up++;
    const down = end - start - up;
    wins += down * (positives + up / 2);
    positives += up;
    negatives += down;
    start = end;
  }
  return positives && negatives ? wins / (positives * negatives) : Number.NaN;
}

/**
 * Area under the precision–recall curve by steps (average precision), as scikit-learn's `average_precision_score`.
 * @returns NaN without positives
 */
export function averagePrecision(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  checkLengths('averagePrecision', { labels, scores });
  const order = descending(scores);
  let positives = 0;
  let area = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let up = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) if (labels[order[end++]!]) up++;
    positives += up;
    area += up * (positives / end);
    start = end;
  }
  return positives ? area / positives : Number.NaN;
}

/** Share of positives among the `n` highest scores; of equal ones the first rows come first. */
export function precisionAt(labels: ArrayLike<number>, scores: ArrayLike<number>, n: number): number {
  checkLengths('precisionAt', { labels, scores });
  const order = descending(scores).slice(0, n);
  let hits = 0;
  for (const row of order) if (labels[row]) hits++;
  return order.length ? hits / order.length : Number.NaN;
}

/** Rows by falling score; equal ones as they stand. */
function descending(scores: ArrayLike<number>): Int32Array {
  const order = Int32Array.from({ length: scores.length }, (_, i) => i);
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

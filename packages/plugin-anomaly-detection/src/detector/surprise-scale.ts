/**
 * A raw score as surprise: log(1 + −log P(a normal row scores higher)), so that scores of different kinds can be added.
 * Within what held-out normals reach by their ranks, beyond by an exponential tail: it never saturates.
 */
export interface SurpriseScale {
  /** Quantiles of the held-out scores, rising. */
  knots: number[];
  /** P(score > knot), falling. */
  survival: number[];
  /** Mean excess beyond the last knot. */
  scale: number;
}

const TAIL = 0.05;
const KNOTS = 200;

/** @param scores - of normal rows that nothing was fitted on */
export function fitSurpriseScale(scores: ArrayLike<number>): SurpriseScale {
  const sorted = Float64Array.from(scores).sort();
  const n = sorted.length;
  const end = Math.min(n - 1, Math.floor((1 - TAIL) * n));
  const knots: number[] = [];
  const survival: number[] = [];
  for (let k = 0; k <= KNOTS; k++) {
    const i = Math.round((k / KNOTS) * end);
    const value = sorted[i]!;
    const chance = (n - i + 0.5) / (n + 1);
    if (knots.at(-1) === value) survival[survival.length - 1] = chance;
    else {
      knots.push(value);
      survival.push(chance);
    }
  }
  const last = knots.at(-1)!;
  let excess = 0;
  let count = 0;
  for (const value of sorted)
    if (value > last) {
      excess += value - last;
      count++;
    }
  // Scores that are all equal say nothing of their spread: one of a thousandth of their size at the least.
  const least = Math.max(1e-9, Math.abs(last) * 1e-3);
  return { knots, survival, scale: Math.max(least, count ? excess / count : 0) };
}

export function surprise({ knots, survival, scale }: SurpriseScale, score: number): number {
  const last = knots.length - 1;
  if (score >= knots[last]!) return Math.log1p((score - knots[last]!) / scale - Math.log(survival[last]!));
  if (score <= knots[0]!) return Math.log1p(-Math.log(survival[0]!));
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle]! <= score) low = middle;
    else high = middle;
  }
  const share = (score - knots[low]!) / (knots[high]! - knots[low]!);
  return Math.log1p(-Math.log(survival[low]! + share * (survival[high]! - survival[low]!)));
}

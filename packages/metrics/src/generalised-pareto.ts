/** The tail of a distribution beyond a threshold: P(X > u + x | X > u) = (1 + ξ·x/σ)^(−1/ξ). */
export interface ParetoTail {
  /** u */
  threshold: number;
  /** ξ: above 0 heavier than an exponential tail, below 0 with an end. */
  shape: number;
  /** σ */
  scale: number;
  /** Values beyond the threshold, and all of them. */
  exceeded: number;
  n: number;
}

/**
 * Fits a generalised Pareto distribution to what lies beyond the `level` quantile, by the quick empirical Bayes
 * estimator of Zhang and Stephens; the shape is drawn towards 0.5 as by ten more observations, which steadies small tails.
 * @param values - finite
 * @see Zhang, Stephens: A New and Efficient Estimation Method for the Generalized Pareto Distribution. Technometrics 51(3), 2009
 */
export function fitParetoTail(values: ArrayLike<number>, level = 0.9): ParetoTail {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const threshold = sorted[Math.min(n - 1, Math.floor(level * n))]!;
  const excess = sorted.filter((value) => value > threshold).map((value) => value - threshold);
  const m = excess.length;
  if (m < 5) return { threshold, shape: 0, scale: mean(excess) || 1, exceeded: m, n };
  const candidates = 30 + Math.floor(Math.sqrt(m));
  const quartile = excess[Math.max(0, Math.floor(m / 4 + 0.5) - 1)]!;
  const theta = Array.from(
    { length: candidates },
    (_, j) => 1 / excess[m - 1]! + (1 - Math.sqrt(candidates / (j + 0.5))) / (3 * quartile),
  );
  const likelihood = theta.map((t) => {
    const k = meanOf(excess, (x) => Math.log1p(-t * x));
    return m * (Math.log(-t / k) - k - 1);
  });
  const weights = likelihood.map((own) => 1 / likelihood.reduce((sum, other) => sum + Math.exp(other - own), 0));
  const best = theta.reduce((sum, t, j) => sum + t * weights[j]!, 0);
  const k = meanOf(excess, (x) => Math.log1p(-best * x));
  const shape = (m * k + 10 * 0.5) / (m + 10);
  return { threshold, shape, scale: -k / best, exceeded: m, n };
}

/** P(X > value); only for values at or beyond the threshold. */
export function paretoTailProbability({ threshold, shape, scale, exceeded, n }: ParetoTail, value: number): number {
  const x = Math.max(0, value - threshold) / scale;
  const survival = Math.abs(shape) < 1e-9 ? Math.exp(-x) : Math.max(0, 1 + shape * x) ** (-1 / shape);
  return (exceeded / n) * survival;
}

/** The value that is exceeded with probability `p`, at most the share beyond the threshold. */
export function paretoTailQuantile({ threshold, shape, scale, exceeded, n }: ParetoTail, p: number): number {
  const ratio = Math.min(1, (p * n) / exceeded);
  return threshold + (Math.abs(shape) < 1e-9 ? -Math.log(ratio) * scale : (scale * (ratio ** -shape - 1)) / shape);
}

const mean = (values: Float64Array): number => meanOf(values, (value) => value);
function meanOf(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return values.length ? sum / values.length : 0;
}

import { lowerBound } from './sorted-search.ts';

/**
 * Chance that a row like the calibration rows scores at least this high, `(1 + #{calibration ≥ score}) / (n + 1)`:
 * uniform or larger for any row exchangeable with them, whatever the score.
 * @param sorted - calibration scores, ascending
 * @see Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005
 */
export function conformalPValue(sorted: ArrayLike<number>, score: number): number {
  return (1 + sorted.length - lowerBound(sorted, score)) / (sorted.length + 1);
}

/**
 * The largest p-value to reject so that at most a share `level` of the rejected is expected to be false; 0 when none is.
 * @see Benjamini, Hochberg: Controlling the False Discovery Rate. JRSS B 57(1), 1995; with conformal p-values: Bates et al.,
 * Testing for Outliers with Conformal p-values. Annals of Statistics 51(1), 2023
 */
export function benjaminiHochberg(pValues: ArrayLike<number>, level: number): number {
  const sorted = Float64Array.from(pValues).sort();
  for (let i = sorted.length - 1; i >= 0; i--) if (sorted[i]! <= (level * (i + 1)) / sorted.length) return sorted[i]!;
  return 0;
}

/**
 * Where the rate of false alarms on new rows should lie: α ± 2 deviations, of the test rows and of the calibration.
 * @param alpha - level asked for
 */
export function falseAlarmInterval(alpha: number, calibration: number, test: number): { low: number; high: number } {
  const width = 2 * Math.sqrt(alpha * (1 - alpha) * (1 / test + 1 / (calibration + 2)));
  return { low: Math.max(0, alpha - width), high: Math.min(1, alpha + width) };
}

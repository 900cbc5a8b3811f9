/** What the values of a column of numbers come to. */
export interface NumericSummary {
  /** ±Infinity cells. */
  infinite: number;
  /** Distinct values; NaN does not count, ±Infinity do. */
  distinct: number;
  /** Of the finite values; undefined where there are none. */
  mean?: number;
  /** Of the population. */
  std?: number;
  /** At the levels asked for, linear between neighbours. */
  quantiles?: number[];
}

/**
 * One sort answers what SQL would hash, sort and scan again for. Exact, and in the order of the values, so that the same
 * values give the same digits in whatever order they come.
 *
 * @param values NaN where missing; sorted in place
 */
export function summariseNumbers(values: Float64Array, levels: readonly number[]): NumericSummary {
  values.sort(); // −Infinity … Infinity, then NaN
  let end = values.length;
  while (end > 0 && Number.isNaN(values[end - 1])) end--;
  let from = 0;
  let to = end;
  while (from < to && values[from] === -Infinity) from++;
  while (to > from && values[to - 1] === Infinity) to--;
  let distinct = 0;
  for (let i = 0; i < end; i++) if (i === 0 || values[i] !== values[i - 1]) distinct++;
  const infinite = end - (to - from);
  const n = to - from;
  if (n === 0) return { infinite, distinct };
  // Sums of very large or small values leave the range of double; dividing by a power of two changes no digit.
  const largest = Math.max(Math.abs(values[from]!), Math.abs(values[to - 1]!));
  const unit = largest > 0 ? 2 ** Math.max(-1022, Math.floor(Math.log2(largest))) : 1;
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]! / unit;
  const mean = sum / n;
  let squares = 0;
  for (let i = from; i < to; i++) squares += (values[i]! / unit - mean) ** 2;
  const quantile = (level: number): number => {
    const at = level * (n - 1);
    const low = Math.floor(at);
    const [a, b] = [values[from + low]!, values[from + Math.min(low + 1, n - 1)]!];
    return at === low ? a : a + (b - a) * (at - low);
  };
  return {
    infinite,
    distinct,
    mean: mean * unit,
    std: Math.sqrt(squares / n) * unit,
    quantiles: levels.map(quantile),
  };
}

/** Mean of the cells that are there; NaN when none is. */
export function columnMean(values: ArrayLike<number>): number {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    count++;
    sum += values[i]!;
  }
  return count ? sum / count : Number.NaN;
}

/** Median of the cells that are there (mean of the middle two); NaN when none is. */
export function columnMedian(values: ArrayLike<number>): number {
  const present = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const middle = present.length >> 1;
  if (present.length === 0) return Number.NaN;
  return present.length % 2 ? present[middle]! : (present[middle - 1]! + present[middle]!) / 2;
}

/** Most frequent value of the cells that are there, the smallest of equals; NaN when none is. */
export function columnMode(values: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < values.length; i++)
    if (!Number.isNaN(values[i]!)) counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + 1);
  let mode = Number.NaN;
  let most = 0;
  for (const [value, count] of counts)
    if (count > most || (count === most && value < mode)) {
      mode = value;
      most = count;
    }
  return mode;
}

const STATISTICS = { mean: columnMean, median: columnMedian, mode: columnMode };

/**
 * Fills every missing cell (NaN) with one statistic of its column, as scikit-learn's `SimpleImputer`.
 * A column without any value stays as it is.
 * @param columns - `[d][n]`
 * @returns new columns
 */
export function fillColumns(columns: readonly ArrayLike<number>[], statistic: keyof typeof STATISTICS): Float64Array[] {
  return columns.map((column) => {
    const fill = STATISTICS[statistic](column);
    return Float64Array.from(column, (value) => (Number.isNaN(value) ? fill : value));
  });
}

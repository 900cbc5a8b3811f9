/** Histogram of one column, for how unusual a value is by itself. */
export interface MarginalHistogram {
  /** Lower edge of the first bin. */
  low: number;
  /** Width of a bin; 0 where the column is constant. */
  width: number;
  /** Height of each bin over that of the tallest, `[bins]`. */
  heights: number[];
}

/** Keeps the surprise of an empty bin finite, as PyOD does. */
const FLOOR = 0.1;

/** Equal bins between the least and greatest value; missing cells (NaN) do not count. */
export function fitHistogram(values: ArrayLike<number>, bins: number): MarginalHistogram {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!(high > low)) return { low: Number.isFinite(low) ? low : 0, width: 0, heights: [1] };
  const width = (high - low) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) counts[Math.min(bins - 1, Math.floor((value - low) / width))]!++;
  }
  const tallest = Math.max(...counts);
  return { low, width, heights: counts.map((count) => count / tallest) };
}

/**
 * −log of the bin's height: about 0 where most values are, −log 0.1 outside the range.
 * @see Goldstein, Dengel: Histogram-Based Outlier Score (HBOS). KI 2012
 */
export function histogramSurprise({ low, width, heights }: MarginalHistogram, value: number): number {
  const place = width > 0 ? Math.floor((value - low) / width) : value === low ? 0 : -1;
  // The greatest value closes the last bin.
  const bin = place === heights.length && value <= low + width * heights.length * (1 + 1e-12) ? place - 1 : place;
  return -Math.log((heights[bin] ?? 0) + FLOOR);
}

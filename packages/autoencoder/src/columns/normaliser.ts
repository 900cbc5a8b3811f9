import { normalQuantile } from '@hourglass/metrics';

export const NORMALISATIONS = ['rank-gauss', 'standard', 'robust', 'min-max', 'pooled'] as const;
/**
 * How a numeric column becomes a network input. `rank-gauss`: quantile → normal, unit variance. `pooled`: its own mean, one
 * scale for all columns, so that errors count in the table's own unit (pixels, spectra).
 */
export type Normalisation = (typeof NORMALISATIONS)[number];

/**
 * A fitted, invertible, monotone map of one numeric column. Rank-Gauss keeps knots `x[k] → z[k]`, both rising, between
 * which it interpolates and beyond which it continues with `slope`; the others are `(x − center) / scale`.
 */
export type Normaliser =
  | { kind: 'linear'; center: number; scale: number }
  | { kind: 'knots'; x: Float64Array; z: Float64Array; slope: number };

/** Knots kept at most: 1000 quantiles describe a marginal to a tenth of a percent. */
const MAX_KNOTS = 1000;

/** Fits on the finite values in `sorted`, ascending; a constant column maps to 0 and back to its value. */
export function fitNormaliser(sorted: Float64Array, kind: Normalisation): Normaliser {
  const n = sorted.length;
  const first = sorted[0] ?? 0;
  const last = sorted[n - 1] ?? 0;
  if (first === last) return { kind: 'linear', center: first, scale: 1 };
  if (kind === 'min-max') return { kind: 'linear', center: first, scale: positive(last - first) };
  const { mean, deviation } = moments(sorted);
  // Pooled columns get their common scale once all are known: poolScales.
  if (kind === 'standard' || kind === 'pooled') return { kind: 'linear', center: mean, scale: positive(deviation) };
  if (kind === 'robust') {
    const range = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    // More than half the values equal: the interquartile range says nothing, the deviation still does.
    // 1.349 makes the interquartile range a deviation for normal data.
    return { kind: 'linear', center: quantile(sorted, 0.5), scale: positive(range > 0 ? range / 1.349 : deviation) };
  }
  return fitRankGauss(sorted, positive(deviation));
}

/**
 * Each distinct value stands at the middle of its ties' ranks, so that atoms (integers, many zeros) keep one place and
 * the map stays continuous between them; z is scaled to mean 0 and variance 1 over the data.
 */
function fitRankGauss(sorted: Float64Array, deviation: number): Normaliser {
  const n = sorted.length;
  // The data may have tens of millions of values: they are walked over, not copied.
  let distinct = 0;
  let mean = 0;
  eachDistinct(sorted, (_, rank, count) => {
    distinct++;
    mean += (normalQuantile(rank) * count) / n;
  });
  let variance = 0;
  eachDistinct(sorted, (_, rank, count) => (variance += ((normalQuantile(rank) - mean) ** 2 * count) / n));
  const unit = positive(Math.sqrt(variance));
  const x: number[] = [];
  const z: number[] = [];
  // At most MAX_KNOTS distinct values, evenly over the ranks, first and last among them.
  let place = 0;
  let seen = 0;
  eachDistinct(sorted, (value, rank) => {
    const last = ++seen === distinct;
    let kept = distinct <= MAX_KNOTS || last;
    while (place < MAX_KNOTS - 1 && (rank >= place / (MAX_KNOTS - 1) || last)) {
      kept = true;
      place++;
    }
    if (!kept) return;
    x.push(value);
    z.push((normalQuantile(rank) - mean) / unit);
  });
  return { kind: 'knots', x: Float64Array.from(x), z: Float64Array.from(z), slope: 1 / deviation };
}

/** Distinct values of ascending data: middle of their ranks as a share, and how many they are. */
function eachDistinct(sorted: Float64Array, visit: (value: number, rank: number, count: number) => void): void {
  const n = sorted.length;
  for (let start = 0; start < n;) {
    let end = start + 1;
    while (end < n && sorted[end] === sorted[start]) end++;
    visit(sorted[start]!, (start + end) / (2 * n), end - start);
    start = end;
  }
}

/** Normalised value; NaN stays NaN. */
export function normalise(map: Normaliser, value: number): number {
  return map.kind === 'linear' ? (value - map.center) / map.scale : interpolate(map.x, map.z, map.slope, value);
}

/** The inverse of {@link normalise}. */
export function denormalise(map: Normaliser, value: number): number {
  return map.kind === 'linear' ? value * map.scale + map.center : interpolate(map.z, map.x, 1 / map.slope, value);
}

function interpolate(from: Float64Array, to: Float64Array, slope: number, value: number): number {
  if (Number.isNaN(value)) return NaN;
  const last = from.length - 1;
  if (value <= from[0]!) return to[0]! + (value - from[0]!) * slope;
  if (value >= from[last]!) return to[last]! + (value - from[last]!) * slope;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle]! <= value) low = middle;
    else high = middle;
  }
  // The knot itself exactly, so that a value seen in training comes back as it was.
  if (value === from[low]) return to[low]!;
  return to[low]! + ((value - from[low]!) / (from[high]! - from[low]!)) * (to[high]! - to[low]!);
}

/** Mean and population deviation, exact enough for timestamps: centred on the first value before summing. */
export function moments(values: Float64Array): { mean: number; deviation: number } {
  const shift = values[0] ?? 0;
  let sum = 0;
  for (const value of values) sum += value - shift;
  const mean = shift + sum / Math.max(1, values.length);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length)) };
}

/** Linear-interpolation quantile of ascending values. */
export function quantile(sorted: Float64Array, p: number): number {
  const place = (sorted.length - 1) * p;
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (place - low) * (sorted[high]! - sorted[low]!);
}

/** A scale to divide by: 1 where the spread vanishes or overflows. */
const positive = (scale: number): number => (Number.isFinite(scale) && scale > 0 ? scale : 1);

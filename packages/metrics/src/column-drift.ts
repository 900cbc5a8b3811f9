import { lowerBound, upperBound } from './sorted-search.ts';

/** What a column held when it was looked at first. */
export type ColumnReference =
  | {
      kind: 'number';
      /** Share of cells without a value. */
      missing: number;
      /** Values at evenly spaced levels 0 … 1, their number a multiple of ten plus one; none where no cell had a value. */
      quantiles: ArrayLike<number>;
    }
  | {
      kind: 'category';
      missing: number;
      /** Share of each category among the cells with a value; the sum is 1. */
      shares: readonly (readonly [string, number])[];
      /** Share of cells whose category has not occurred that is to be expected anyway. @default 0 */
      novel?: number;
    };

/** Cells of a column: numbers with NaN where missing, or codes into categories with −1. */
export type DriftCells =
  | { kind: 'numeric'; values: ArrayLike<number> }
  | { kind: 'category'; codes: ArrayLike<number>; categories: readonly string[] };

/** How far a column has moved from what it held. */
export interface ColumnDrift {
  /** Population stability index Σ (q − p) log(q / p) over ten bins of equal share, or the categories. */
  psi: number;
  /** Largest difference of the distribution functions; of categories, half the sum of differences. */
  ks: number;
  /** Share missing now − share missing then. */
  missing: number;
  /** Share of values outside the range of then, or of categories that had not occurred, beyond what was to be expected. */
  unseen: number;
}

/** An empty bin must not make the index infinite. */
const FLOOR = 1e-4;
/** Categories with a bin of their own; the rarer ones share one, or their noise would add up to a drift. */
const BINS = 100;
const LEVELS = 200;

/**
 * Compares cells with what a column held before.
 *
 * Under no drift the index is about (bins − 1)·(1/n + 1/m): with less than some hundred rows it says little.
 *
 * @see Siddiqi: Credit Risk Scorecards (the index and its usual limits .1 and .25). Wiley 2005
 */
export function columnDrift(reference: ColumnReference, data: DriftCells): ColumnDrift {
  const rows = data.kind === 'numeric' ? data.values.length : data.codes.length;
  const none = { psi: 0, ks: 0, missing: 0, unseen: 0 };
  if (rows === 0) return none;
  if (reference.kind === 'number' && data.kind === 'numeric') {
    const values = present(data.values);
    const missing = 1 - values.length / rows - reference.missing;
    if (values.length === 0 || reference.quantiles.length === 0) return { ...none, missing };
    return { ...numberDrift(Array.from(reference.quantiles), values), missing };
  }
  const counts = countNames(data);
  const total = sum(counts.values());
  const missing = 1 - total / rows - reference.missing;
  if (total === 0 || reference.kind === 'number' || reference.shares.length === 0) return { ...none, missing };
  return { ...categoryDrift(reference.shares, reference.novel ?? 0, counts, total), missing };
}

/** What cells hold, to compare later ones with. Infinite values count as values, but not into the range. */
export function columnReference(data: DriftCells): ColumnReference {
  if (data.kind === 'numeric') {
    const rows = data.values.length;
    const all = present(data.values);
    const missing = rows === 0 ? 0 : 1 - all.length / rows;
    const sorted = all.subarray(upperBound(all, -Infinity), lowerBound(all, Infinity));
    if (sorted.length === 0) return { kind: 'number', missing, quantiles: [] };
    const at = (level: number): number => sorted[Math.round(level * (sorted.length - 1))]!;
    return { kind: 'number', missing, quantiles: Float64Array.from({ length: LEVELS + 1 }, (_, k) => at(k / LEVELS)) };
  }
  const counts = countNames(data);
  const total = sum(counts.values());
  // Good–Turing: what occurred once tells how often the next value is a new one. Of an id, always.
  const once = [...counts.values()].filter((count) => count === 1).length;
  return {
    kind: 'category',
    missing: data.codes.length === 0 ? 0 : 1 - total / data.codes.length,
    shares: [...counts].map(([name, count]) => [name, count / total] as const),
    novel: total === 0 ? 0 : once / total,
  };
}

function numberDrift(quantiles: number[], sorted: Float64Array): Omit<ColumnDrift, 'missing'> {
  const last = quantiles.length - 1;
  const below = (value: number): number => lowerBound(sorted, value) / sorted.length;
  const upTo = (value: number): number => upperBound(sorted, value) / sorted.length;
  // Where several quantiles share a value the distribution jumps: its level is known just before and at the value.
  let ks = 0;
  for (let k = 0, end = 0; k <= last; k = end) {
    while (end <= last && quantiles[end] === quantiles[k]) end++;
    ks = Math.max(ks, below(quantiles[k]!) - k / last, (end - 1) / last - upTo(quantiles[k]!));
  }
  // Ten bins of equal share; equal edges melt into one bin.
  let psi = 0;
  let reached = 0;
  let done = 0;
  for (let bin = 1; bin <= 10; bin++) {
    const to = quantiles[(bin * last) / 10]!;
    if (bin < 10 && to === quantiles[((bin + 1) * last) / 10]) continue;
    const level = bin === 10 ? 1 : quantiles.lastIndexOf(to) / last;
    const now = bin === 10 ? 1 : upTo(to);
    psi += term(level - reached, now - done);
    reached = level;
    done = now;
  }
  return { psi, ks, unseen: below(quantiles[0]!) + 1 - upTo(quantiles[last]!) };
}

function categoryDrift(
  shares: readonly (readonly [string, number])[],
  novel: number,
  counts: Map<string, number>,
  total: number,
): Omit<ColumnDrift, 'missing'> {
  const pairs = [...shares]
    .sort(([a, p], [b, q]) => q - p || (a < b ? -1 : 1))
    .map(([name, share]) => [share * (1 - novel), (counts.get(name) ?? 0) / total] as const);
  const pooled = pairs.slice(BINS);
  const known = pairs.reduce((all, [, q]) => all + q, 0);
  const unseen = Math.max(0, 1 - known);
  const bins = pairs.slice(0, BINS);
  if (pooled.length > 0) bins.push([sum(pooled.map(([p]) => p)), sum(pooled.map(([, q]) => q))]);
  if (unseen > 0 || novel > 0) bins.push([novel, unseen]);
  return {
    psi: sum(bins.map(([p, q]) => term(p, q))),
    ks: sum(bins.map(([p, q]) => Math.abs(q - p))) / 2,
    unseen: Math.max(0, unseen - novel),
  };
}

const term = (p: number, q: number): number =>
  (Math.max(q, FLOOR) - Math.max(p, FLOOR)) * Math.log(Math.max(q, FLOOR) / Math.max(p, FLOOR));

/** Values in ascending order, without NaN. */
const present = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();

function countNames(data: DriftCells): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string, count: number): void => void counts.set(name, (counts.get(name) ?? 0) + count);
  if (data.kind === 'numeric') {
    for (let i = 0; i < data.values.length; i++) if (!Number.isNaN(data.values[i]!)) add(String(data.values[i]), 1);
    return counts;
  }
  const byCode = new Float64Array(data.categories.length);
  for (let i = 0; i < data.codes.length; i++) if (data.codes[i]! >= 0) byCode[data.codes[i]!]!++;
  byCode.forEach((count, code) => count > 0 && add(data.categories[code]!, count));
  return counts;
}

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
}

import type { ComparedColumn } from './column-similarity.ts';
import { cholesky } from './gaussian-mixture.ts';
import { normalProbability, normalQuantile } from './normal.ts';

/** Columns by their own distributions, tied by the correlation of normal scores. */
export interface GaussianCopula {
  names: string[];
  margins: Margin[];
  /** Lower Cholesky factor of the correlations, `[p, p]`. */
  factor: Float64Array;
}

/** Values in order; a category's or missing cell's rows lie together. */
interface Margin {
  column: ComparedColumn;
  /** Rows of the fitted column, ascending by what they hold. */
  order: Int32Array;
}

/** Correlations this close to ±1 would leave no room for a Cholesky factor. */
const SHRINK = 0.999;

/**
 * Fits a Gaussian copula with empirical marginals. Equal cells share an interval of ranks, within which each row gets a
 * random place, so that categories, whole numbers and missing cells have scores too.
 * @param uniform - random numbers in [0, 1): the fit depends on nothing else
 * @see Patki, Wedge, Veeramachaneni: The synthetic data vault. DSAA 2016
 */
export function fitGaussianCopula(
  columns: Readonly<Record<string, ComparedColumn>>,
  uniform: () => number,
): GaussianCopula {
  const names = Object.keys(columns);
  const keys = names.map((name) => sortKeys(columns[name]!));
  const margins = names.map((name, a) => ({ column: columns[name]!, order: ordered(keys[a]!) }));
  const scores = margins.map(({ order }, a) => normalScores(keys[a]!, order, uniform));
  const p = names.length;
  const factor = new Float64Array(p * p);
  for (let a = 0; a < p; a++)
    for (let b = 0; b <= a; b++) {
      const r = a === b ? 1 : SHRINK * cosine(scores[a]!, scores[b]!);
      factor[a * p + b] = r;
      factor[b * p + a] = r;
    }
  cholesky(factor, 0, p);
  return { names, margins, factor };
}

/** The same margins without ties between them. */
export function independentColumns({ names, margins }: GaussianCopula): GaussianCopula {
  const p = names.length;
  const factor = new Float64Array(p * p);
  for (let a = 0; a < p; a++) factor[a * p + a] = 1;
  return { names, margins, factor };
}

/** Draws n rows: every cell is one that occurred in its column. */
export function sampleCopula(
  { names, margins, factor }: GaussianCopula,
  n: number,
  normal: () => number,
): Record<string, ComparedColumn> {
  const p = names.length;
  const rows = margins.map(() => new Int32Array(n));
  const noise = new Float64Array(p);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < p; a++) noise[a] = normal();
    for (let a = 0; a < p; a++) {
      let score = 0;
      for (let b = 0; b <= a; b++) score += factor[a * p + b]! * noise[b]!;
      const { order } = margins[a]!;
      rows[a]![i] = order[Math.min(order.length - 1, Math.floor(normalProbability(score) * order.length))]!;
    }
  }
  return Object.fromEntries(
    margins.map(({ column }, a): [string, ComparedColumn] => [
      names[a]!,
      column.kind === 'numeric'
        ? { kind: 'numeric', values: Float64Array.from(rows[a]!, (row) => column.values[row]!) }
        : { ...column, codes: rows[a]!.map((row) => column.codes[row]!) },
    ]),
  );
}

/** Rows in the order of their keys. */
function ordered(key: Float64Array): Int32Array {
  return Int32Array.from(key, (_, row) => row).sort((a, b) => key[a]! - key[b]! || a - b);
}

/** Numbers that order the rows by what they hold: missing first, then ascending, categories by falling frequency. */
function sortKeys(column: ComparedColumn): Float64Array {
  if (column.kind === 'numeric') return column.values.map((value) => (Number.isNaN(value) ? -Infinity : value));
  const counts = new Float64Array(column.categories.length);
  for (const code of column.codes) if (code >= 0) counts[code]!++;
  const rank = new Float64Array(counts.length);
  Array.from(counts.keys())
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .forEach((code, place) => (rank[code] = place));
  return Float64Array.from(column.codes, (code) => (code < 0 ? -1 : rank[code]!));
}

function normalScores(key: Float64Array, order: Int32Array, uniform: () => number): Float64Array {
  const n = order.length;
  const scores = new Float64Array(n);
  for (let start = 0; start < n;) {
    let end = start + 1;
    while (end < n && key[order[end]!] === key[order[start]!]) end++;
    for (let at = start; at < end; at++)
      scores[order[at]!] = normalQuantile(Math.min(Math.max((start + (end - start) * uniform()) / n, 1e-9), 1 - 1e-9));
    start = end;
  }
  return scores;
}

function cosine(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
    ab += (a[i]! - ma) * (b[i]! - mb);
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

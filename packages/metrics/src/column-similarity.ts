import { HourglassError } from '@hourglass/core';

/** A column to compare: numbers with NaN for missing, or codes into names with −1 for missing. */
export type ComparedColumn =
  { kind: 'numeric'; values: Float64Array } | { kind: 'category'; codes: Int32Array; categories: string[] };

/** Bins of a number beside a category. */
const BINS = 10;

/**
 * How alike two columns are distributed, 0 … 1: one minus the Kolmogorov–Smirnov statistic for numbers (KSComplement), one
 * minus the total variation distance for categories (TVComplement). Missing cells are left out.
 * @returns NaN where a side has no value
 * @see SDMetrics, Column Shapes
 */
export function columnShape(real: ComparedColumn, synthetic: ComparedColumn): number {
  if (real.kind === 'numeric' && synthetic.kind === 'numeric') return ksComplement(real.values, synthetic.values);
  const [a, b] = [shares(namesOf(real)), shares(namesOf(synthetic))];
  return a.size === 0 || b.size === 0 ? Number.NaN : 1 - variation(a, b);
}

/**
 * How alike the columns of two tables hang together, 0 … 1. Two numbers: 1 − |r − r′| / 2 of Pearson's correlations
 * (CorrelationSimilarity). Else one minus the total variation distance of the contingency tables, numbers in ten bins of
 * their own table's range and missing as a value of its own (ContingencySimilarity).
 * @returns NaN for two numbers of which one is constant
 * @see SDMetrics, Column Pair Trends
 */
export function columnPairTrend(
  real: readonly [ComparedColumn, ComparedColumn],
  synthetic: readonly [ComparedColumn, ComparedColumn],
): number {
  if (real.every(({ kind }) => kind === 'numeric')) {
    const r = correlation(real as never);
    const s = correlation(synthetic as never);
    return 1 - Math.abs(r - s) / 2;
  }
  return 1 - variation(shares(pairsOf(real)), shares(pairsOf(synthetic)));
}

/** Pearson's correlation over the rows that hold both; NaN where a column is constant. */
export function correlation([a, b]: readonly [
  Extract<ComparedColumn, { kind: 'numeric' }>,
  Extract<ComparedColumn, { kind: 'numeric' }>,
]): number {
  const rows: number[] = [];
  for (let i = 0; i < a.values.length; i++) if (!Number.isNaN(a.values[i]! + b.values[i]!)) rows.push(i);
  const mean = (values: Float64Array): number => rows.reduce((sum, i) => sum + values[i]!, 0) / rows.length;
  const [ma, mb] = [mean(a.values), mean(b.values)];
  let [aa, bb, ab] = [0, 0, 0];
  for (const i of rows) {
    const [x, y] = [a.values[i]! - ma, b.values[i]! - mb];
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : Number.NaN;
}

/** Pairs of real columns that hang together more loosely count in {@link TableSimilarity.allPairs} only. SDMetrics' defaults. */
const LOOSE = { correlation: 0.5, association: 0.3 };

/** Scores of a whole table against another: means over columns and pairs. */
export interface TableSimilarity {
  /** Mean of {@link columnShape}. */
  shapes: number;
  /**
   * Mean of {@link columnPairTrend} over pairs that hang together in the real table: two numbers correlated by more than 0.5,
   * others by a Cramér's V above 0.3; over all pairs where none is.
   */
  pairs: number;
  /** Mean over all pairs; 1 for tables of one column. */
  allPairs: number;
  /** Mean of `shapes` and `pairs`: the score of SDMetrics' quality report. */
  quality: number;
  /** Shape by column. */
  columns: Record<string, number>;
}

/** @throws CALL_INVALID when the tables have other columns, or of other kinds */
export function tableSimilarity(
  real: Readonly<Record<string, ComparedColumn>>,
  synthetic: Readonly<Record<string, ComparedColumn>>,
): TableSimilarity {
  const names = Object.keys(real);
  for (const name of names)
    if (real[name]!.kind !== synthetic[name]?.kind)
      throw new HourglassError(
        'CALL_INVALID',
        `tableSimilarity: column "${name}" is ${real[name]!.kind} in one table, ${synthetic[name]?.kind ?? 'not there'} in the other`,
      );
  const columns = Object.fromEntries(names.map((name) => [name, columnShape(real[name]!, synthetic[name]!)]));
  const trends: number[] = [];
  const tied: number[] = [];
  for (let a = 0; a < names.length; a++)
    for (let b = a + 1; b < names.length; b++) {
      const [x, y] = [names[a]!, names[b]!];
      const pair = [real[x]!, real[y]!] as const;
      const trend = columnPairTrend(pair, [synthetic[x]!, synthetic[y]!]);
      trends.push(trend);
      if (hangTogether(pair)) tied.push(trend);
    }
  const shapes = knownMean(Object.values(columns));
  const allPairs = trends.length > 0 ? knownMean(trends) : 1;
  const pairs = tied.length > 0 ? knownMean(tied) : allPairs;
  return { shapes, pairs, allPairs, quality: (shapes + pairs) / 2, columns };
}

function hangTogether(pair: readonly [ComparedColumn, ComparedColumn]): boolean {
  if (pair.every(({ kind }) => kind === 'numeric')) return Math.abs(correlation(pair as never)) > LOOSE.correlation;
  return cramersV(binned(pair[0]), binned(pair[1])) > LOOSE.association;
}

/** Cramér's V of two columns of names: 0 where they are independent, 1 where one tells the other; NaN where one is constant. */
function cramersV(x: readonly string[], y: readonly string[]): number {
  const n = x.length;
  const [rows, columns] = [shares(x), shares(y)];
  const least = Math.min(rows.size, columns.size) - 1;
  if (least < 1) return Number.NaN;
  // χ² / n = Σ joint² / (row · column) − 1
  let sum = -1;
  for (const [cell, share] of shares(x.map((name, i) => `${name}\u0001${y[i]!}`))) {
    const [a, b] = cell.split('\u0001') as [string, string];
    sum += share ** 2 / (rows.get(a)! * columns.get(b)!);
  }
  return n > 0 ? Math.sqrt(Math.max(0, sum) / least) : Number.NaN;
}

const knownMean = (values: number[]): number => {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : Number.NaN;
};

function ksComplement(real: Float64Array, synthetic: Float64Array): number {
  const known = (values: Float64Array): Float64Array => values.filter((value) => !Number.isNaN(value)).sort();
  const [a, b] = [known(real), known(synthetic)];
  if (a.length === 0 || b.length === 0) return Number.NaN;
  let [i, j, most] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= value) i++;
    while (j < b.length && b[j]! <= value) j++;
    most = Math.max(most, Math.abs(i / a.length - j / b.length));
  }
  return 1 - most;
}

/** Names of the cells that hold one; a number stands for itself. */
function namesOf(column: ComparedColumn): string[] {
  if (column.kind === 'numeric') return [...column.values].filter((value) => !Number.isNaN(value)).map(String);
  return [...column.codes].filter((code) => code >= 0).map((code) => column.categories[code]!);
}

function pairsOf([a, b]: readonly [ComparedColumn, ComparedColumn]): string[] {
  const [x, y] = [binned(a), binned(b)];
  return x.map((cell, i) => `${cell}\u0001${y[i]!}`);
}

/** Cells as names, missing among them; numbers as the bin they fall into, missing with those at the upper end. */
function binned(column: ComparedColumn): string[] {
  if (column.kind === 'category')
    return Array.from(column.codes, (code) => (code < 0 ? '\u0000' : column.categories[code]!));
  const { values } = column;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const width = (high - low) / BINS;
  const edges = Array.from({ length: BINS + 1 }, (_, k) => (k === BINS ? high : low + k * width));
  return Array.from(values, (value) => {
    if (Number.isNaN(value)) return String(BINS + 1);
    let bin = Math.min(BINS, Math.max(0, Math.floor((value - low) / width)));
    while (bin <= BINS && edges[bin]! <= value) bin++;
    while (bin > 0 && edges[bin - 1]! > value) bin--;
    return String(bin);
  });
}

function shares(cells: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  for (const [cell, count] of counts) counts.set(cell, count / cells.length);
  return counts;
}

/** Total variation distance. */
function variation(a: Map<string, number>, b: Map<string, number>): number {
  let sum = 0;
  for (const [cell, share] of a) sum += Math.abs(share - (b.get(cell) ?? 0));
  for (const [cell, share] of b) if (!a.has(cell)) sum += share;
  return sum / 2;
}

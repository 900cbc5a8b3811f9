import { HourglassError } from '@hourglass/core';
import { dot } from './dot.ts';

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

type Numbers = readonly [Extract<ComparedColumn, { kind: 'numeric' }>, Extract<ComparedColumn, { kind: 'numeric' }>];

const areNumbers = (pair: readonly [ComparedColumn, ComparedColumn]): pair is Numbers =>
  pair.every(({ kind }) => kind === 'numeric');

/** Pearson's correlation over the rows that hold both; NaN where a column is constant. */
export function correlation([a, b]: Numbers): number {
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
   * Mean of {@link TableSimilarity.trend} over pairs that hang together in the real table: two numbers correlated by more than 0.5,
   * others by a Cramér's V above 0.3; over all pairs where none is.
   */
  pairs: number;
  /** Mean over all pairs; 1 for tables of one column. */
  allPairs: number;
  /** Mean of `shapes` and `pairs`: the score of SDMetrics' quality report. */
  quality: number;
  /** Shape by column. */
  columns: Record<string, number>;
  /**
   * How alike two columns hang together, 0 … 1, in either order. Two numbers: 1 − |r − r′| / 2 of Pearson's correlations
   * (CorrelationSimilarity). Else one minus the total variation distance of the contingency tables, numbers in ten bins of
   * their own table's range and missing as a value of its own (ContingencySimilarity). NaN for two numbers of which one is
   * constant.
   * @see SDMetrics, Column Pair Trends
   */
  trend(a: string, b: string): number;
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
  const [realCorrelation, syntheticCorrelation] = [real, synthetic].map((table) => correlationsOf(table, names));
  const byPair = new Map<string, number>();
  const key = (a: number, b: number): string => `${Math.min(a, b)} ${Math.max(a, b)}`;
  const tied: number[] = [];
  const cells = names.some((name) => real[name]!.kind === 'category')
    ? names.map((name) => coded(real[name]!, synthetic[name]!))
    : [];
  for (let a = 0; a < names.length; a++)
    for (let b = a + 1; b < names.length; b++) {
      const { trend, ties } = areNumbers([real[names[a]!]!, real[names[b]!]!])
        ? numbersTrend(realCorrelation!(a, b), syntheticCorrelation!(a, b))
        : cellsTrend(cells[a]!, cells[b]!);
      byPair.set(key(a, b), trend);
      if (ties) tied.push(trend);
    }
  const shapes = knownMean(Object.values(columns));
  const trends = [...byPair.values()];
  const allPairs = trends.length > 0 ? knownMean(trends) : 1;
  const pairs = tied.length > 0 ? knownMean(tied) : allPairs;
  return {
    shapes,
    pairs,
    allPairs,
    quality: (shapes + pairs) / 2,
    columns,
    trend: (a, b) => byPair.get(key(names.indexOf(a), names.indexOf(b)))!,
  };
}

/** A pair's trend, and whether the real columns hang together. */
interface PairTrend {
  trend: number;
  ties: boolean;
}

const numbersTrend = (real: number, synthetic: number): PairTrend => ({
  trend: 1 - Math.abs(real - synthetic) / 2,
  ties: Math.abs(real) > LOOSE.correlation,
});

/**
 * {@link correlation} of a table's numeric columns by their places in `names`. A picture's elements have hundreds of thousands
 * of pairs: columns without a missing cell are centred and scaled once.
 */
function correlationsOf(
  table: Readonly<Record<string, ComparedColumn>>,
  names: readonly string[],
): (a: number, b: number) => number {
  const columns = names.map((name) => table[name]!);
  const units = columns.map((column) => (column.kind === 'numeric' ? unitVector(column.values) : undefined));
  return (a, b) => {
    const [x, y] = [units[a], units[b]];
    return x && y ? dot(x, y) : correlation([columns[a], columns[b]] as unknown as Numbers);
  };
}

/** Centred, of length 1; NaN where all are equal, undefined where a cell is missing. */
function unitVector(values: Float64Array): Float64Array | undefined {
  let sum = 0;
  for (const value of values) sum += value;
  if (Number.isNaN(sum)) return undefined;
  const mean = sum / values.length;
  let squares = 0;
  let constant = true;
  for (const value of values) {
    squares += (value - mean) ** 2;
    constant &&= value === values[0];
  }
  return values.map((value) => (constant ? Number.NaN : (value - mean) / Math.sqrt(squares)));
}

function cellsTrend(x: Coded, y: Coded): PairTrend {
  const joint = shares(pairsOf(x.real, y.real));
  return {
    trend: 1 - variation(joint, shares(pairsOf(x.synthetic, y.synthetic))),
    ties: cramersV(x.shares, y.shares, joint) > LOOSE.association,
  };
}

/** Cramér's V of two columns' and their pairs' shares: 0 where they are independent, 1 where one tells the other; NaN where one is constant. */
function cramersV(rows: Map<number, number>, columns: Map<number, number>, joint: Map<number, number>): number {
  const least = Math.min(rows.size, columns.size) - 1;
  if (least < 1) return Number.NaN;
  // χ² / n = Σ joint² / (row · column) − 1
  let sum = -1;
  for (const [pair, share] of joint)
    sum += share ** 2 / (rows.get(Math.floor(pair / MOST_NAMES))! * columns.get(pair % MOST_NAMES)!);
  return Math.sqrt(Math.max(0, sum) / least);
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

/** Cells of a column of both tables: the same number where the name is the same. */
interface Coded {
  real: Int32Array;
  synthetic: Int32Array;
  /** Of the real cells. */
  shares: Map<number, number>;
}

/** More names than a column may have rows. */
const MOST_NAMES = 2 ** 26;

/** Pairs of names as one number each. */
const pairsOf = (x: Int32Array, y: Int32Array): Float64Array =>
  Float64Array.from(x, (cell, i) => cell * MOST_NAMES + y[i]!);

function coded(realColumn: ComparedColumn, syntheticColumn: ComparedColumn): Coded {
  const numbers = new Map<string, number>();
  const number = (name: string): number => {
    let found = numbers.get(name);
    if (found === undefined) numbers.set(name, (found = numbers.size));
    return found;
  };
  const real = named(realColumn, number);
  return { real, synthetic: named(syntheticColumn, number), shares: shares(real) };
}

/** Cells by the numbers of their names, missing among them; of numbers the bin they fall into, missing with those at the upper end. */
function named(column: ComparedColumn, number: (name: string) => number): Int32Array {
  if (column.kind === 'category') {
    const [missing, ...of] = ['\u0000', ...column.categories].map(number);
    return column.codes.map((code) => (code < 0 ? missing! : of[code]!));
  }
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
  const of = Array.from({ length: BINS + 2 }, (_, bin) => number(String(bin)));
  return Int32Array.from(values, (value) => {
    if (Number.isNaN(value)) return of[BINS + 1]!;
    let bin = Math.min(BINS, Math.max(0, Math.floor((value - low) / width)));
    while (bin <= BINS && edges[bin]! <= value) bin++;
    while (bin > 0 && edges[bin - 1]! > value) bin--;
    return of[bin]!;
  });
}

function shares<T extends string | number>(cells: Iterable<T> & { length: number }): Map<T, number> {
  const counts = new Map<T, number>();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  for (const [cell, count] of counts) counts.set(cell, count / cells.length);
  return counts;
}

/** Total variation distance. */
function variation<T>(a: Map<T, number>, b: Map<T, number>): number {
  let sum = 0;
  for (const [cell, share] of a) sum += Math.abs(share - (b.get(cell) ?? 0));
  for (const [cell, share] of b) if (!a.has(cell)) sum += share;
  return sum / 2;
}

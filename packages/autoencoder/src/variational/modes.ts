import { hostRandom } from '@hourglass/engine';
import { fitGaussianMixture, lowerBound, mixtureShares, mostProbable } from '@hourglass/metrics';
import { denormalise, fitNormaliser, normalise, type Normaliser } from '../columns/normaliser.ts';

/**
 * A part of a numeric column: a single value (`low` = `high`), or the values of an interval, each known by its rank among
 * them as a normal score.
 */
export interface Mode {
  low: number;
  high: number;
  /** Interval → N(0, 1); absent for single values. */
  map?: Normaliser;
}

/** The parts of a column, ascending; single values come first. */
export interface ColumnModes {
  modes: Mode[];
  /** Digits behind the point in the data; absent where they are too many to be a rule. */
  decimals?: number;
}

export interface ModeOptions {
  /** Components of the mixture at most. */
  modes: number;
}

/** Columns of so few values are told value by value. */
const FEW_VALUES = 32;
/** Rows a value must stand for to count as one of few. */
const ROWS_A_VALUE = 10;
/** A value this frequent is a mode of its own, beside the intervals. */
const FREQUENT = 0.02;
const MOST_FREQUENT_KEPT = 12;
/** Intervals of fewer rows than this share go to their neighbour. */
const THIN = 0.01;
/** Rows the mixture is fitted on at most. */
const MIXTURE_ROWS = 4000;
const MOST_DECIMALS = 6;

/**
 * Divides a column into modes: every value where they are few, else frequent single values and intervals where one
 * component of a Gaussian mixture rules. Within an interval the value becomes the normal score of its rank, so that an
 * answer never leaves it, however heavy its tail.
 * Source: mode-specific normalisation of CTGAN and TVAE (Xu et al., NeurIPS 2019); ranks instead of z-scores are ours.
 *
 * @param sorted observed values, ascending
 */
export function fitModes(sorted: Float64Array, { modes }: ModeOptions): ColumnModes {
  const n = sorted.length;
  if (n === 0) return { modes: [] };
  const decimals = decimalsOf(sorted);
  const rule = decimals === undefined ? {} : { decimals };
  const counts = countValues(sorted);
  if (counts.length <= Math.min(FEW_VALUES, Math.max(2, n / ROWS_A_VALUE)))
    return { modes: counts.map(([value]) => ({ low: value, high: value })), ...rule };
  const single = counts
    .filter(([, count]) => count > FREQUENT * n && count > 5)
    .sort(([a, p], [b, q]) => q - p || a - b)
    .slice(0, MOST_FREQUENT_KEPT)
    .map(([value]) => value)
    .sort((a, b) => a - b);
  const rest = sorted.filter((value) => !single.includes(value));
  return {
    modes: [...single.map((value) => ({ low: value, high: value })), ...intervals(rest, modes)],
    ...rule,
  };
}

/** Which mode a value belongs to, and its score within: 0 for single values. Values outside of all go to the nearest. */
export function encodeMode({ modes }: ColumnModes, value: number): { mode: number; score: number } {
  let best = 0;
  let least = Infinity;
  // Single values stand first, so that they win over an interval around them.
  for (let k = 0; k < modes.length && least > 0; k++) {
    const { low, high } = modes[k]!;
    const away = Math.max(low - value, value - high, 0);
    if (away < least) [best, least] = [k, away];
  }
  const { map, low, high } = modes[best]!;
  return { mode: best, score: map ? normalise(map, Math.min(Math.max(value, low), high)) : 0 };
}

/** The inverse of {@link encodeMode}, inside the mode and with the column's digits. */
export function decodeMode({ modes, decimals }: ColumnModes, mode: number, score: number): number {
  const { low, high, map } = modes[mode]!;
  const value = map ? Math.min(Math.max(denormalise(map, score), low), high) : low;
  return decimals === undefined || !map ? value : roundTo(value, decimals);
}

const roundTo = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals;

function decimalsOf(sorted: Float64Array): number | undefined {
  for (let digits = 0; digits <= MOST_DECIMALS; digits++)
    if (sorted.every((value) => roundTo(value, digits) === value)) return digits;
  return undefined;
}

function countValues(sorted: Float64Array): [number, number][] {
  const counts: [number, number][] = [];
  for (const value of sorted) {
    const last = counts.at(-1);
    if (last && last[0] === value) last[1]++;
    else counts.push([value, 1]);
  }
  return counts;
}

/** Intervals by the component of a mixture that rules there. */
function intervals(sorted: Float64Array, components: number): Mode[] {
  const n = sorted.length;
  if (n === 0) return [];
  const size = Math.min(n, MIXTURE_ROWS);
  const sample = Float64Array.from({ length: size }, (_, i) => sorted[Math.floor(((i + 0.5) * n) / size)]!);
  const scale = sample.at(-1)! - sample[0]! || 1;
  const x = { rows: size, cols: 1, data: sample.map((value) => (value - sample[0]!) / scale) };
  const k = Math.max(1, Math.min(components, Math.floor(size / 20)));
  const mixture = fitGaussianMixture(x, hostRandom(0, 11).uniform, { components: k, ridge: 1e-6 });
  const shares = mixtureShares(mixture, x);
  const owner = mostProbable(shares, k);
  const starts = [0];
  for (let i = 1; i < size; i++)
    if (owner[i] !== owner[i - 1] && sample[i]! > sample[i - 1]! && i - starts.at(-1)! >= THIN * size) starts.push(i);
  if (starts.length > 1 && size - starts.at(-1)! < THIN * size) starts.pop();
  // Borders in the whole column: the first row whose value is not below that of the sample.
  const borders = starts.map((start) => (start === 0 ? 0 : lowerBound(sorted, sample[start]!)));
  return borders.map((from, index) => {
    const part = sorted.subarray(from, borders[index + 1] ?? n);
    return { low: part[0]!, high: part.at(-1)!, map: fitNormaliser(part, 'rank-gauss') };
  });
}

import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';
import { lowerBound } from './sorted-search.ts';

/** Trees of a forest in flat arrays; a leaf has column −1 and its classes' shares at `value · classes` of `shares`. */
export interface RandomForest {
  classes: number;
  roots: number[];
  column: number[];
  /** Cut: rows up to it go left. Leaves: number of the leaf. */
  value: number[];
  left: number[];
  right: number[];
  shares: number[];
}

export interface ForestOptions {
  /** @default 50 */
  trees?: number;
  /** @default 24 */
  depth?: number;
  /** Rows a leaf holds at least. @default 1 */
  leaf?: number;
}

/** Cuts tried in a column: quantiles of the rows fitted on. */
const CUTS = 64;

/**
 * A random forest for classes: trees on bootstrap samples, each node split by the best of √p columns by Gini impurity.
 * @param labels - class of each row, 0 … classes − 1
 * @param uniform - random numbers in [0, 1): the forest depends on nothing else
 * @throws DATA_INSUFFICIENT without rows
 * @see Breiman: Random forests. Machine Learning 45, 2001
 */
export function fitRandomForest(
  x: NumberMatrix,
  labels: ArrayLike<number>,
  classes: number,
  uniform: () => number,
  { trees = 50, depth: deepest = 24, leaf: fewest = 1 }: ForestOptions = {},
): RandomForest {
  const { rows: n, cols: p } = x;
  if (n === 0) throw new HourglassError('DATA_INSUFFICIENT', 'fitRandomForest: expected rows, found none');
  const { bins, cuts } = binColumns(x);
  const tried = Math.max(1, Math.round(Math.sqrt(p)));
  const forest: RandomForest = { classes, roots: [], column: [], value: [], left: [], right: [], shares: [] };
  const columns = Int32Array.from({ length: p }, (_, j) => j);
  const counts = new Float64Array(CUTS * classes);
  const below = new Float64Array(classes);

  const leafOf = (total: Float64Array, size: number): number => {
    const node = forest.column.length;
    forest.column.push(-1);
    forest.value.push(forest.shares.length / classes);
    forest.left.push(-1);
    forest.right.push(-1);
    for (let c = 0; c < classes; c++) forest.shares.push(total[c]! / size);
    return node;
  };

  /** The cut of a column with the least impurity, Σ n_side · Gini, written as −Σ counts² / n_side. */
  const bestCut = (members: Int32Array, column: number, total: Float64Array): { cut: number; score: number } => {
    const width = cuts[column]!.length + 1;
    counts.fill(0, 0, width * classes);
    for (const i of members) counts[bins[column]![i]! * classes + labels[i]!]!++;
    below.fill(0);
    let size = 0;
    let best = { cut: -1, score: -Infinity };
    for (let cut = 0; cut + 1 < width; cut++) {
      let here = 0;
      for (let c = 0; c < classes; c++) {
        const count = counts[cut * classes + c]!;
        below[c]! += count;
        here += count;
      }
      size += here;
      const rest = members.length - size;
      if (here === 0 || size < fewest || rest < fewest || rest === 0) continue;
      let [a, b] = [0, 0];
      for (let c = 0; c < classes; c++) {
        a += below[c]! ** 2;
        b += (total[c]! - below[c]!) ** 2;
      }
      const score = a / size + b / rest;
      if (score > best.score) best = { cut, score };
    }
    return best;
  };

  const grow = (members: Int32Array, depth: number): number => {
    const total = new Float64Array(classes);
    for (const i of members) total[labels[i]!]!++;
    if (depth >= deepest || members.length < 2 * fewest || total.some((count) => count === members.length))
      return leafOf(total, members.length);
    let best = { column: -1, cut: -1, score: -Infinity };
    // Columns in random order, until enough that can be cut were tried.
    for (let j = 0, found = 0; j < p && found < tried; j++) {
      const other = j + Math.floor(uniform() * (p - j));
      [columns[j], columns[other]] = [columns[other]!, columns[j]!];
      const column = columns[j]!;
      const { cut, score } = bestCut(members, column, total);
      if (cut < 0) continue;
      found++;
      if (score > best.score) best = { column, cut, score };
    }
    if (best.column < 0) return leafOf(total, members.length);
    const node = forest.column.length;
    forest.column.push(best.column);
    forest.value.push(cuts[best.column]![best.cut]!);
    forest.left.push(-1);
    forest.right.push(-1);
    const bin = bins[best.column]!;
    forest.left[node] = grow(
      members.filter((i) => bin[i]! <= best.cut),
      depth + 1,
    );
    forest.right[node] = grow(
      members.filter((i) => bin[i]! > best.cut),
      depth + 1,
    );
    return node;
  };

  for (let t = 0; t < trees; t++)
    forest.roots.push(
      grow(
        Int32Array.from({ length: n }, () => Math.floor(uniform() * n)),
        0,
      ),
    );
  return forest;
}

/** Probabilities `[n, classes]`: mean shares of the leaves a row falls into. */
export function forestProbabilities(
  { classes, roots, column, value, left, right, shares }: RandomForest,
  { rows, cols, data }: NumberMatrix,
): Float64Array {
  const out = new Float64Array(rows * classes);
  for (let i = 0; i < rows; i++)
    for (const root of roots) {
      let node = root;
      while (column[node]! >= 0) node = data[i * cols + column[node]!]! <= value[node]! ? left[node]! : right[node]!;
      for (let c = 0; c < classes; c++) out[i * classes + c]! += shares[value[node]! * classes + c]! / roots.length;
    }
  return out;
}

/** Columns in bins: bin k holds values up to cut k, the last those above all. */
function binColumns({ rows, cols, data }: NumberMatrix): { bins: Uint8Array[]; cuts: number[][] } {
  const bins: Uint8Array[] = [];
  const cuts: number[][] = [];
  for (let j = 0; j < cols; j++) {
    const sorted = Float64Array.from({ length: rows }, (_, i) => data[i * cols + j]!).sort();
    const distinct = [...new Set(sorted)];
    const chosen =
      distinct.length <= CUTS
        ? distinct.slice(0, -1).map((value, k) => (value + distinct[k + 1]!) / 2)
        : [...new Set(Array.from({ length: CUTS - 1 }, (_, k) => sorted[Math.floor(((k + 1) * rows) / CUTS)]!))];
    cuts.push(chosen);
    bins.push(Uint8Array.from({ length: rows }, (_, i) => lowerBound(chosen, data[i * cols + j]!)));
  }
  return { bins, cuts };
}

import type { NumberMatrix } from './pca.ts';

/** Trees of one forest in flat arrays; a leaf has column −1 and its path length in `value`. */
export interface IsolationForest {
  roots: number[];
  column: number[];
  value: number[];
  left: number[];
  right: number[];
  /** Rows a tree was grown on. */
  sample: number;
}

/**
 * Trees that part rows at random: a row parted from the others after few cuts is unusual.
 * @param uniform - random numbers in [0, 1): the forest depends on nothing else
 * @see Liu, Ting, Zhou: Isolation Forest. ICDM 2008
 */
export function fitIsolationForest(
  { rows, cols, data }: NumberMatrix,
  uniform: () => number,
  { trees = 100, sample: wished = 256 }: { trees?: number; sample?: number } = {},
): IsolationForest {
  const sample = Math.min(wished, rows);
  const forest: IsolationForest = { roots: [], column: [], value: [], left: [], right: [], sample };
  const deepest = Math.ceil(Math.log2(Math.max(2, sample)));
  const grow = (members: Int32Array, depth: number): number => {
    const node = forest.column.length;
    forest.column.push(-1);
    forest.value.push(depth + pathLength(members.length));
    forest.left.push(-1);
    forest.right.push(-1);
    if (depth >= deepest || members.length <= 1) return node;
    // A column in which these rows differ; constant ones cannot part them.
    const ranges: { column: number; low: number; high: number }[] = [];
    for (let j = 0; j < cols; j++) {
      let low = Infinity;
      let high = -Infinity;
      for (const i of members) {
        const value = data[i * cols + j]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (high > low) ranges.push({ column: j, low, high });
    }
    if (ranges.length === 0) return node;
    const { column, low, high } = ranges[Math.floor(uniform() * ranges.length)]!;
    const cut = low + uniform() * (high - low);
    forest.column[node] = column;
    forest.value[node] = cut;
    forest.left[node] = grow(
      members.filter((i) => data[i * cols + column]! <= cut),
      depth + 1,
    );
    forest.right[node] = grow(
      members.filter((i) => data[i * cols + column]! > cut),
      depth + 1,
    );
    return node;
  };
  for (let t = 0; t < trees; t++) {
    const members = Int32Array.from({ length: rows }, (_, i) => i);
    for (let i = 0; i < sample; i++) {
      const j = i + Math.floor(uniform() * (rows - i));
      [members[i], members[j]] = [members[j]!, members[i]!];
    }
    forest.roots.push(grow(members.slice(0, sample), 0));
  }
  return forest;
}

/** `[n]`: 2^(−mean path / expected path), near 1 for unusual rows, below 0.5 for usual ones. */
export function isolationScore(forest: IsolationForest, { rows, cols, data }: NumberMatrix): Float64Array {
  const { roots, column, value, left, right, sample } = forest;
  const scores = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let length = 0;
    for (const root of roots) {
      let node = root;
      while (column[node]! >= 0) node = data[i * cols + column[node]!]! <= value[node]! ? left[node]! : right[node]!;
      length += value[node]!;
    }
    scores[i] = 2 ** (-length / roots.length / Math.max(1e-9, pathLength(sample)));
  }
  return scores;
}

/** Mean path of a failed search in a binary search tree of n rows. */
function pathLength(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + 0.5772156649015329) - (2 * (n - 1)) / n;
}

import type { NeighbourIndex } from './neighbour-index.ts';
import type { NumberMatrix } from './pca.ts';

/** Local densities of the rows a local outlier factor compares with. */
export interface LocalDensity {
  k: number;
  /** Distance of each row to its k-th neighbour, `[n]`. */
  radius: Float64Array;
  /** Local reachability density of each row, `[n]`. */
  density: Float64Array;
}

// scikit-learn's guard against rows that stand on one point.
const TINY = 1e-10;

/** Densities of an index's own rows among each other. */
export function localDensity(index: NeighbourIndex, base: NumberMatrix, k: number): LocalDensity {
  const { indices, squared } = index.query(base, k, true);
  const radius = new Float64Array(base.rows);
  for (let i = 0; i < base.rows; i++) radius[i] = Math.sqrt(squared[i * k + k - 1]!);
  return { k, radius, density: reachability(indices, squared, radius, k, base.rows) };
}

/**
 * How much thinner a row lies than its neighbours do, about 1 among them and larger outside: scikit-learn's
 * `LocalOutlierFactor(novelty=True)`.
 * @param near - the queries' neighbours, at least `k` each
 * @see Breunig, Kriegel, Ng, Sander: LOF, Identifying Density-Based Local Outliers. SIGMOD 2000
 */
export function localOutlierFactor(
  { k, radius, density }: LocalDensity,
  near: { k: number; indices: Int32Array; squared: Float64Array },
): Float64Array {
  const rows = near.indices.length / near.k;
  const indices = near.k === k ? near.indices : first(near.indices, near.k, k, (length) => new Int32Array(length));
  const squared = near.k === k ? near.squared : first(near.squared, near.k, k, (length) => new Float64Array(length));
  const own = reachability(indices, squared, radius, k, rows);
  const factor = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let r = 0; r < k; r++) sum += density[indices[i * k + r]!]!;
    factor[i] = sum / k / own[i]!;
  }
  return factor;
}

function reachability(
  indices: Int32Array,
  squared: Float64Array,
  radius: Float64Array,
  k: number,
  rows: number,
): Float64Array {
  const density = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let r = 0; r < k; r++) sum += Math.max(Math.sqrt(squared[i * k + r]!), radius[indices[i * k + r]!]!);
    density[i] = 1 / (sum / k + TINY);
  }
  return density;
}

function first<A extends Int32Array | Float64Array>(
  values: A,
  from: number,
  k: number,
  make: (length: number) => A,
): A {
  const rows = values.length / from;
  const kept = make(rows * k);
  for (let i = 0; i < rows; i++) kept.set(values.subarray(i * from, i * from + k), i * k);
  return kept;
}

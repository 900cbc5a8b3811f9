import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

/** The k nearest rows of each query, nearest first. */
export interface Neighbours {
  k: number;
  /** Rows of the base, `[q, k]`. */
  indices: Int32Array;
  /** Squared Euclidean distances, `[q, k]`. */
  squared: Float64Array;
}

/**
 * Exact nearest neighbours by Euclidean distance, all pairs compared: O(q n d). Of equally near rows the first wins.
 * @param options.self - queries and base are the same rows: a row is no neighbour of itself @default false
 * @param options.among - rows of the base, rising and at least k, that a query is compared with @default all
 * @throws DATA_INSUFFICIENT when k exceeds the rows there are
 * @throws CALL_INVALID when the widths differ
 */
export function nearestNeighbours(
  base: NumberMatrix,
  queries: NumberMatrix,
  k: number,
  { self = false, among }: { self?: boolean; among?(query: number): Int32Array } = {},
): Neighbours {
  const { rows: n, cols: d, data } = base;
  if (queries.cols !== d)
    throw new HourglassError(
      'CALL_INVALID',
      `nearestNeighbours: the base has ${d} columns, the queries have ${queries.cols}; pass matrices of one width`,
    );
  const candidates = self ? n - 1 : n;
  if (!Number.isInteger(k) || k < 1 || k > candidates)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `nearestNeighbours: ${k} neighbours asked among ${candidates} rows; ask for 1 to ${candidates}`,
    );
  const indices = new Int32Array(queries.rows * k);
  const squared = new Float64Array(queries.rows * k);
  const query = new Float64Array(d);
  for (let q = 0; q < queries.rows; q++) {
    for (let j = 0; j < d; j++) query[j] = queries.data[q * d + j]!;
    const at = q * k;
    let found = 0;
    let worst = Infinity;
    const some = among?.(q);
    const compared = some ? some.length : n;
    for (let c = 0; c < compared; c++) {
      const i = some ? some[c]! : c;
      if (self && i === q) continue;
      let distance = 0;
      const row = i * d;
      // A row that is too far already need not be measured to its end.
      for (let j = 0; j < d && distance < worst; j++) {
        const difference = query[j]! - data[row + j]!;
        distance += difference * difference;
      }
      if (found === k && !(distance < worst)) continue;
      let place = found < k ? found++ : k - 1;
      while (place > 0 && squared[at + place - 1]! > distance) {
        squared[at + place] = squared[at + place - 1]!;
        indices[at + place] = indices[at + place - 1]!;
        place--;
      }
      squared[at + place] = distance;
      indices[at + place] = i;
      if (found === k) worst = squared[at + k - 1]!;
    }
  }
  return { k, indices, squared };
}

import { HourglassError } from '@hourglass/core';
import type { NumberMatrix } from './pca.ts';

/** How far an embedding keeps neighbourhoods; 1 is perfect, about 0.5 a random embedding. */
export interface NeighbourhoodScore {
  /** Neighbours in the embedding are neighbours in the data: nothing was glued together. */
  trustworthiness: number;
  /** Neighbours in the data are neighbours in the embedding: nothing was torn apart. */
  continuity: number;
}

/**
 * Trustworthiness and continuity over the k nearest neighbours, by Euclidean distance: as scikit-learn's `trustworthiness`, and the same with
 * the two spaces exchanged. Compares all pairs: O(n² (d + log n)).
 * @param x - `[n, p]` the data
 * @param z - `[n, d]` the embedding of the same rows
 * @throws DATA_INSUFFICIENT when k is not below n / 2
 * @see Venna, Kaski: Neighborhood preservation in nonlinear projection methods. ICANN 2001
 */
export function neighbourhoodScore(x: NumberMatrix, z: NumberMatrix, k: number): NeighbourhoodScore {
  const n = x.rows;
  if (z.rows !== n)
    throw new HourglassError('CALL_INVALID', `neighbourhoodScore: ${n} rows of data, ${z.rows} of their embedding`);
  if (!Number.isInteger(k) || k < 1 || k >= n / 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `neighbourhoodScore: ${k} neighbours asked of ${n} rows; k must be below half the rows`,
    );
  let glued = 0;
  let torn = 0;
  for (let i = 0; i < n; i++) {
    const inData = neighbourOrder(x, i);
    const inEmbedding = neighbourOrder(z, i);
    const rankInData = ranks(inData);
    const rankInEmbedding = ranks(inEmbedding);
    for (let r = 0; r < k; r++) {
      glued += Math.max(0, rankInData[inEmbedding[r]!]! - k);
      torn += Math.max(0, rankInEmbedding[inData[r]!]! - k);
    }
  }
  const scale = 2 / (n * k * (2 * n - 3 * k - 1));
  return { trustworthiness: 1 - scale * glued, continuity: 1 - scale * torn };
}

/** The other rows from near to far; equally near ones in their order. */
function neighbourOrder({ rows, cols, data }: NumberMatrix, i: number): Int32Array {
  const distance = new Float64Array(rows);
  for (let other = 0; other < rows; other++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += (data[i * cols + j]! - data[other * cols + j]!) ** 2;
    distance[other] = sum;
  }
  return Int32Array.from(Array.from({ length: rows }, (_, other) => other).filter((other) => other !== i)).sort(
    (a, b) => distance[a]! - distance[b]! || a - b,
  );
}

/** Rank of each row in an order, 1-based. */
function ranks(order: Int32Array): Int32Array {
  const rank = new Int32Array(order.length + 1);
  order.forEach((row, at) => (rank[row] = at + 1));
  return rank;
}

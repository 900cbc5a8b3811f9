import type { Neighbours } from './nearest-neighbours.ts';

/**
 * Class of each query by the most frequent class of its neighbours; of equally frequent ones the class of the nearest.
 * @param labels - of the base's rows
 */
export function neighbourVotes<T>({ k, indices }: Neighbours, labels: ArrayLike<T>): T[] {
  return Array.from({ length: indices.length / k }, (_, q) => {
    const votes = new Map<T, number>();
    let most = 0;
    for (let r = 0; r < k; r++) {
      const label = labels[indices[q * k + r]!]!;
      const count = (votes.get(label) ?? 0) + 1;
      votes.set(label, count);
      most = Math.max(most, count);
    }
    // A Map keeps the order of insertion: nearest first.
    return [...votes].find(([, count]) => count === most)![0];
  });
}

/**
 * Precision at k: share of the k neighbours that are of the query's class, mean over queries.
 * @returns NaN without queries
 */
export function precisionAtK<T>({ k, indices }: Neighbours, base: ArrayLike<T>, queries: ArrayLike<T>): number {
  let hits = 0;
  for (let i = 0; i < indices.length; i++) if (base[indices[i]!] === queries[Math.floor(i / k)]) hits++;
  return indices.length ? hits / indices.length : Number.NaN;
}

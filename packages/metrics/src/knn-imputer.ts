import { checkLengths } from './check-lengths.ts';
import { columnMean } from './simple-fill.ts';

/** Donors a pass compares with one row: their values stay in the processor's cache. */
const BLOCK = 1024;

/**
 * Fills every missing cell (NaN) with the mean of its column over the `k` nearest rows that have it, as scikit-learn's
 * `KNNImputer` with its defaults. Distance is nan-euclidean: over the columns both rows have, scaled up to all columns.
 * A row that shares no column with any other gets the column's mean; a column without any value stays as it is. Of
 * equally near rows the first wins (scikit-learn leaves that open).
 *
 * Compares all pairs: O(n² d).
 *
 * @param columns - `[d][n]`, on one scale
 * @returns new columns
 * @throws CALL_INVALID when columns differ in length
 */
export function knnImpute(columns: readonly ArrayLike<number>[], options: { k?: number } = {}): Float64Array[] {
  const k = options.k ?? 5;
  checkLengths('knnImpute', Object.fromEntries(columns.map((column, c) => [`column ${c}`, column])));
  const d = columns.length;
  const n = columns[0]?.length ?? 0;
  const filled = columns.map((column) => Float64Array.from(column));

  // Row-major copies: values with 0 where missing, and 1/0 for there/missing, so that the inner loop has no branch.
  const values = new Float64Array(n * d);
  const there = new Float64Array(n * d);
  columns.forEach((column, c) => {
    for (let i = 0; i < n; i++) {
      const present = !Number.isNaN(column[i]!);
      values[i * d + c] = present ? column[i]! : 0;
      there[i * d + c] = present ? 1 : 0;
    }
  });
  const means = columns.map(columnMean);

  const distances = new Float64Array(BLOCK);
  const present = new Int32Array(d);
  const missing = new Int32Array(d);
  // The k nearest so far of each missing column of a row, nearest first.
  const nearest = new Float64Array(d * k);
  const donors = new Int32Array(d * k);

  for (let i = 0; i < n; i++) {
    let presentCount = 0;
    let missingCount = 0;
    for (let c = 0; c < d; c++)
      if (there[i * d + c]) present[presentCount++] = c;
      else missing[missingCount++] = c;
    if (missingCount === 0) continue;
    nearest.fill(Number.POSITIVE_INFINITY);
    donors.fill(-1);

    for (let from = 0; from < n; from += BLOCK) {
      const to = Math.min(n, from + BLOCK);
      for (let j = from; j < to; j++) {
        let sum = 0;
        let shared = 0;
        const row = j * d;
        for (let p = 0; p < presentCount; p++) {
          const c = present[p]!;
          const weight = there[row + c]!;
          const difference = values[i * d + c]! - values[row + c]!;
          sum += weight * difference * difference;
          shared += weight;
        }
        // No shared column: no distance. Such a row is never a donor while others are.
        distances[j - from] = shared > 0 ? (sum * d) / shared : Number.POSITIVE_INFINITY;
      }
      for (let q = 0; q < missingCount; q++) {
        const c = missing[q]!;
        const slots = q * k;
        let worst = nearest[slots + k - 1]!;
        for (let j = from; j < to; j++) {
          const distance = distances[j - from]!;
          if (!(distance < worst) || !there[j * d + c]) continue;
          let slot = slots + k - 1;
          while (slot > slots && nearest[slot - 1]! > distance) {
            nearest[slot] = nearest[slot - 1]!;
            donors[slot] = donors[slot - 1]!;
            slot--;
          }
          nearest[slot] = distance;
          donors[slot] = j;
          worst = nearest[slots + k - 1]!;
        }
      }
    }

    for (let q = 0; q < missingCount; q++) {
      const c = missing[q]!;
      let sum = 0;
      let count = 0;
      for (let slot = q * k; slot < (q + 1) * k && donors[slot]! >= 0; slot++) {
        sum += columns[c]![donors[slot]!]!;
        count++;
      }
      filled[c]![i] = count ? sum / count : means[c]!;
    }
  }
  return filled;
}

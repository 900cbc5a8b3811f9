import { classCount, FIRST_CATEGORY, UNKNOWN_CODE, type EncodedTable, type TableEncoder } from '@hourglass/autoencoder';
import type { NumberMatrix } from '@hourglass/metrics';

/** Categories up to which each has a column of its own; beyond, one column says how rare the category is. */
const WIDEST = 32;

/**
 * Encoded rows as points, `[n, m]`, in which distances mean the same in every column: numbers and booleans with
 * deviation 1, categories so that two different ones are 1 apart. A missing cell stands at the column's mean.
 */
export function featureMatrix({ columns }: TableEncoder, { rows, x, w, codes }: EncodedTable): NumberMatrix {
  const width = columns.length;
  const q = columns.filter(({ kind }) => kind === 'category').length;
  const p = width - q;
  const places: number[] = [];
  let cols = p;
  for (const column of columns)
    if (column.kind === 'category') {
      places.push(cols);
      cols += column.categories.length + column.buckets > WIDEST ? 1 : classCount(column) + 1;
    }
  const data = new Float32Array(rows * cols);
  columns.forEach((column, j) => {
    if (column.kind !== 'category') {
      const center = column.kind === 'boolean' ? column.share : 0;
      const scale =
        column.kind === 'boolean'
          ? 1 / Math.sqrt(Math.max(0.01, column.share * (1 - column.share)))
          : Math.sqrt(column.weight);
      for (let i = 0; i < rows; i++) if (w[i * width + j]! > 0) data[i * cols + j] = (x[i * p + j]! - center) * scale;
      return;
    }
    const at = places[j - p]!;
    const total = column.counts.reduce((sum, count) => sum + count, 0);
    for (let i = 0; i < rows; i++) {
      const code = codes[i * q + (j - p)]!;
      if (code === 0) continue;
      if (classCount(column) > WIDEST)
        data[i * cols + at] = -Math.log(((column.counts[code - FIRST_CATEGORY] ?? 0) + 0.5) / (total + 1)) / 2;
      else
        data[i * cols + at + (code === UNKNOWN_CODE ? classCount(column) : code - FIRST_CATEGORY)] =
          code === UNKNOWN_CODE ? 1 : Math.SQRT1_2;
    }
  });
  return { rows, cols, data };
}

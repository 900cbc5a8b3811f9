import { FIRST_CATEGORY, UNKNOWN_CODE, type EncodedTable, type TableEncoder } from '@hourglass/autoencoder';
import { fitHistogram, histogramSurprise, type MarginalHistogram } from '@hourglass/metrics';

/** What each column looks like by itself: a histogram of numbers, frequencies of categories, the share missing. */
export interface Marginals {
  columns: ({ missing: number; histogram: MarginalHistogram } | { missing: number; shares: number[] })[];
}

/** As PyOD's default floor: an unseen value costs −log 0.1. */
const FLOOR = 0.1;
/** Fewer rows carry fewer bins. */
const bins = (rows: number): number => Math.max(5, Math.min(30, Math.round(Math.sqrt(rows))));

export function fitMarginals({ columns }: TableEncoder, { rows, x, w, codes }: EncodedTable): Marginals {
  const width = columns.length;
  const p = columns.filter(({ kind }) => kind !== 'category').length;
  const q = width - p;
  return {
    columns: columns.map((column, j) => {
      let absent = 0;
      for (let i = 0; i < rows; i++) if (!(w[i * width + j]! > 0)) absent++;
      const missing = absent / Math.max(1, rows);
      if (column.kind === 'number') {
        const values = Float64Array.from({ length: rows }, (_, i) =>
          w[i * width + j]! > 0 ? x[i * p + j]! : Number.NaN,
        );
        return { missing, histogram: fitHistogram(values, bins(rows)) };
      }
      const counts: number[] = new Array<number>(
        column.kind === 'category' ? column.categories.length + column.buckets : 2,
      ).fill(0);
      for (let i = 0; i < rows; i++)
        if (w[i * width + j]! > 0) {
          const code = column.kind === 'boolean' ? x[i * p + j]! : codes[i * q + (j - p)]! - FIRST_CATEGORY;
          if (counts[code] !== undefined) counts[code]++;
        }
      const tallest = Math.max(1, ...counts);
      return { missing, shares: counts.map((count) => count / tallest) };
    }),
  };
}

/** Surprise of every cell by its own column, `[n, C]`: −log(height + 0.1); a missing cell's by the share missing. */
export function marginalSurprise(
  { columns }: TableEncoder,
  { rows, x, w, codes }: EncodedTable,
  marginals: Marginals,
): Float64Array {
  const width = columns.length;
  const p = columns.filter(({ kind }) => kind !== 'category').length;
  const q = width - p;
  const surprise = new Float64Array(rows * width);
  columns.forEach((column, j) => {
    const marginal = marginals.columns[j]!;
    const present = Math.max(marginal.missing, 1 - marginal.missing);
    const absent = -Math.log(marginal.missing / present + FLOOR);
    for (let i = 0; i < rows; i++) {
      const at = i * width + j;
      if (!(w[at]! > 0)) surprise[at] = absent;
      else if ('histogram' in marginal) surprise[at] = histogramSurprise(marginal.histogram, x[i * p + j]!);
      else {
        const code = column.kind === 'boolean' ? x[i * p + j]! : codes[i * q + (j - p)]!;
        const place = column.kind === 'boolean' ? code : code === UNKNOWN_CODE ? -1 : code - FIRST_CATEGORY;
        surprise[at] = -Math.log((marginal.shares[place] ?? 0) + FLOOR);
      }
    }
  });
  return surprise;
}

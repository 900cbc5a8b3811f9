import { neighbourIndex } from './neighbour-index.ts';
import { fitPca, pcaReconstruct, pcaTransform, type NumberMatrix, type Pca } from './pca.ts';
import { HourglassError } from '@hourglass/core';

/**
 * Rows of numbers shrunk along principal axes by signal / (signal + noise): the best linear guess of the clean rows.
 * @param noisy `[n, d]` @param pca all d components of clean rows @param sigmas deviations of the noise to try
 * @returns for each `[n, d]`. Source: Wiener filtering in a PCA basis (Muresan & Parks 2003), of rows instead of patches
 */
export function wienerRows(noisy: NumberMatrix, pca: Pca, sigmas: readonly number[]): Float64Array[] {
  const z = pcaTransform(pca, noisy);
  return sigmas.map((sigma) => {
    const gains = pca.explainedVariance.map((value) => (value > 0 ? value / (value + sigma ** 2) : 0));
    return pcaReconstruct(
      pca,
      z.map((value, i) => value * gains[i % pca.k]!),
    );
  });
}

/** All principal components of clean rows, for {@link wienerRows}. @throws DATA_INSUFFICIENT for fewer rows than columns */
export const wienerBasis = (clean: NumberMatrix): Pca => fitPca(clean, clean.cols);

/**
 * The mean of the k clean rows nearest to each noisy one, for several k at the cost of the largest.
 * @param same the clean rows are those the noisy ones were made of, in order: none is asked about itself @default false
 * @returns for each k `[n, d]`
 * @throws DATA_INSUFFICIENT when there are fewer clean rows than the largest k
 */
export function neighbourMeans(
  clean: NumberMatrix,
  noisy: NumberMatrix,
  ks: readonly number[],
  same = false,
): Float64Array[] {
  const most = Math.max(...ks);
  if (clean.rows < most + (same ? 1 : 0))
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `neighbourMeans: ${most} neighbours asked among ${clean.rows} rows; give more clean rows`,
    );
  const found = neighbourIndex(clean).query(noisy, most, same);
  const { cols } = clean;
  const results = ks.map(() => new Float64Array(noisy.rows * cols));
  const sum = new Float64Array(cols);
  for (let i = 0; i < noisy.rows; i++) {
    sum.fill(0);
    for (let n = 0; n < most; n++) {
      const base = found.indices[i * most + n]! * cols;
      for (let j = 0; j < cols; j++) sum[j]! += clean.data[base + j]!;
      const at = ks.indexOf(n + 1);
      if (at >= 0) for (let j = 0; j < cols; j++) results[at]![i * cols + j] = sum[j]! / (n + 1);
    }
  }
  return results;
}

/** The median of each column over `reach` rows before and after; fewer at the ends. @returns `[n, d]` */
export function movingMedian({ rows, cols, data }: NumberMatrix, reach: number): Float64Array {
  const result = new Float64Array(rows * cols);
  for (let j = 0; j < cols; j++)
    for (let i = 0; i < rows; i++) {
      const [from, to] = [Math.max(0, i - reach), Math.min(rows, i + reach + 1)];
      const around = Float64Array.from({ length: to - from }, (_, k) => data[(from + k) * cols + j]!).sort();
      const middle = around.length >> 1;
      result[i * cols + j] = around.length % 2 === 1 ? around[middle]! : (around[middle - 1]! + around[middle]!) / 2;
    }
  return result;
}

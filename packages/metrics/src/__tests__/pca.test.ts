import { describe, expect, it } from 'vitest';
import { fitPca, pcaReconstruct, pcaTransform } from '../index.ts';
import { distance, scikit, truth } from './scikit.ts';

const x = { rows: scikit.x.length, cols: truth.length, data: Float64Array.from(scikit.x.flat()) };

describe('fitPca', () => {
  it('gives the numbers of scikit-learn 1.9.1 PCA', () => {
    const pca = fitPca(x, 3);
    expect(distance(pca.explainedVariance, scikit.pca.explainedVariance)).toBeLessThan(1e-10);
    expect(distance(pca.explainedVarianceRatio, scikit.pca.explainedVarianceRatio)).toBeLessThan(1e-10);
    scikit.pca.components.forEach((row, c) => {
      const ours = pca.components.subarray(c * x.cols, (c + 1) * x.cols);
      const sign = Math.sign(row[0]! * ours[0]!);
      expect(
        distance(
          ours,
          row.map((value) => value * sign),
        ),
      ).toBeLessThan(1e-9);
    });
  });

  it('gives the same by singular values (few rows) and by covariance (many)', () => {
    const few = { rows: 12, cols: 7, data: x.data.subarray(0, 12 * 7) };
    const many = { rows: 24, cols: 7, data: Float64Array.from([...few.data, ...few.data]) };
    const [a, b] = [fitPca(few, 4), fitPca(many, 4)];
    expect(distance(a.components, b.components)).toBeLessThan(1e-8);
    expect(distance(a.explainedVarianceRatio, b.explainedVarianceRatio)).toBeLessThan(1e-9);
  });

  it('reconstructs exactly with all components', () => {
    const pca = fitPca(x, 7);
    expect(distance(pcaReconstruct(pca, pcaTransform(pca, x)), x.data)).toBeLessThan(1e-12);
  });

  it('finds a line and its variance', () => {
    const line = { rows: 3, cols: 2, data: [0, 0, 3, 4, 6, 8] };
    const pca = fitPca(line, 1);
    expect(pca.components[0]).toBeCloseTo(0.6, 12);
    expect(pca.components[1]).toBeCloseTo(0.8, 12);
    expect(pca.explainedVariance[0]).toBeCloseTo(25, 9);
    expect(pca.explainedVarianceRatio[0]).toBeCloseTo(1, 12);
  });

  it('takes more columns than rows', () => {
    expect(fitPca({ rows: 2, cols: 3, data: [0, 0, 0, 1, 1, 1] }, 1).explainedVariance[0]).toBeCloseTo(1.5, 12);
  });

  it('refuses more components than the data have, and missing cells', () => {
    expect(() => fitPca(x, 8)).toThrow(/8 components asked of a 80 × 7 matrix/);
    expect(() => fitPca({ rows: 2, cols: 2, data: [1, Number.NaN, 2, 3] }, 1)).toThrow(/column 1 has missing/);
  });
});

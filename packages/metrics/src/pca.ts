import { HourglassError } from '@hourglass/core';
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Row-major numbers without missing cells. */
export interface NumberMatrix {
  rows: number;
  cols: number;
  data: ArrayLike<number>;
}

/** Principal components of a matrix `[n, d]`. */
export interface Pca {
  /** Column means, `[d]`. */
  mean: Float64Array;
  /** One unit row per component, by falling variance, `[k, d]` row-major; the largest entry of each is positive. */
  components: Float64Array;
  k: number;
  /** Variance along each component, `[k]`; over n − 1, as scikit-learn. */
  explainedVariance: Float64Array;
  /** Share of the whole variance, `[k]`. */
  explainedVarianceRatio: Float64Array;
}

/**
 * Fits `k` principal components: by singular value decomposition of the centred matrix, or, where rows are many, by the
 * eigenvectors of its covariance (same result to rounding, cost without n²).
 * @throws DATA_INSUFFICIENT when `k` exceeds min(n, d) or there are fewer than two rows
 * @throws COLUMN_INVALID when a cell is missing or infinite
 */
export function fitPca(x: NumberMatrix, k: number): Pca {
  const { rows: n, cols: d, data } = x;
  if (n < 2 || !Number.isInteger(k) || k < 1 || k > Math.min(n, d))
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `fitPca: ${k} components asked of a ${n} × ${d} matrix; there can be 1 to min(rows, columns) = ${Math.min(n, d)} components, of at least 2 rows`,
    );
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j]! += data[i * d + j]! / n;
  const bad = mean.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `fitPca: column ${bad} has missing or infinite cells; fill or drop them first`,
    );
  const { values, vectors } = n <= 2 * d ? bySingularValues(x, mean) : byCovariance(x, mean);
  let total = 0;
  for (const value of values) total += value;
  const components = new Float64Array(k * d);
  for (let c = 0; c < k; c++) {
    let peak = 0;
    for (let j = 0; j < d; j++) if (Math.abs(vectors.get(j, c)) > Math.abs(peak)) peak = vectors.get(j, c);
    // The sign of a component is arbitrary; fixed here so that results can be compared.
    for (let j = 0; j < d; j++) components[c * d + j] = peak < 0 ? -vectors.get(j, c) : vectors.get(j, c);
  }
  const explainedVariance = Float64Array.from(values.slice(0, k));
  return {
    mean,
    components,
    k,
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => (total > 0 ? value / total : 0)),
  };
}

/** Coordinates along the components, `[n, k]`. */
export function pcaTransform(pca: Pca, x: NumberMatrix): Float64Array {
  const { k, components, mean } = pca;
  const d = x.cols;
  const z = new Float64Array(x.rows * k);
  for (let i = 0; i < x.rows; i++)
    for (let c = 0; c < k; c++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += (x.data[i * d + j]! - mean[j]!) * components[c * d + j]!;
      z[i * k + c] = sum;
    }
  return z;
}

/** Back from coordinates `z` `[n, k]` to columns, `[n, d]`. */
export function pcaReconstruct(pca: Pca, z: ArrayLike<number>): Float64Array {
  const { k, components, mean } = pca;
  const d = mean.length;
  const n = z.length / k;
  const x = new Float64Array(n * d);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++) {
      let sum = mean[j]!;
      for (let c = 0; c < k; c++) sum += z[i * k + c]! * components[c * d + j]!;
      x[i * d + j] = sum;
    }
  return x;
}

interface Spectrum {
  /** Variances, falling. */
  values: number[];
  /** `[d, …]`, one column a component. */
  vectors: Matrix;
}

function bySingularValues({ rows, cols, data }: NumberMatrix, mean: Float64Array): Spectrum {
  const centred = new Matrix(rows, cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) centred.set(i, j, data[i * cols + j]! - mean[j]!);
  const svd = new SingularValueDecomposition(centred, { autoTranspose: true });
  return { values: svd.diagonal.map((s) => s ** 2 / (rows - 1)), vectors: svd.rightSingularVectors };
}

function byCovariance({ rows, cols, data }: NumberMatrix, mean: Float64Array): Spectrum {
  const covariance = new Float64Array(cols * cols);
  const row = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) row[j] = data[i * cols + j]! - mean[j]!;
    for (let a = 0; a < cols; a++) {
      const value = row[a]!;
      if (value === 0) continue;
      for (let b = a; b < cols; b++) covariance[a * cols + b]! += value * row[b]!;
    }
  }
  for (let a = 0; a < cols; a++)
    for (let b = a; b < cols; b++)
      covariance[a * cols + b] = covariance[b * cols + a] = covariance[a * cols + b]! / (rows - 1);
  const evd = new EigenvalueDecomposition(Matrix.from1DArray(cols, cols, covariance), { assumeSymmetric: true });
  const order = evd.realEigenvalues.map((_, i) => i).sort((a, b) => evd.realEigenvalues[b]! - evd.realEigenvalues[a]!);
  return {
    values: order.map((i) => Math.max(0, evd.realEigenvalues[i]!)),
    vectors: evd.eigenvectorMatrix.subMatrixColumn(order),
  };
}

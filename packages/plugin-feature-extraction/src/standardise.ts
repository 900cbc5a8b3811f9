import type { NumberMatrix } from '@hourglass/metrics';

/** Centre and scale of columns. */
export interface Scale {
  mean: Float64Array;
  deviation: Float64Array;
}

/** A constant column gets deviation 1 and stays 0. */
export function fitScale({ rows, cols, data }: NumberMatrix): Scale {
  const mean = new Float64Array(cols);
  const deviation = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) mean[j]! += data[i * cols + j]! / rows;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) deviation[j]! += (data[i * cols + j]! - mean[j]!) ** 2 / rows;
  for (let j = 0; j < cols; j++) deviation[j] = deviation[j]! > 1e-12 ? Math.sqrt(deviation[j]!) : 1;
  return { mean, deviation };
}

/** One deviation for all columns: coordinates of a space, whose lengths say what matters, keep their proportions. */
export function fitOneScale(x: NumberMatrix): Scale {
  const { mean, deviation } = fitScale(x);
  let variance = 0;
  for (let i = 0; i < x.data.length; i++) variance += (x.data[i]! - mean[i % x.cols]!) ** 2 / x.data.length;
  return { mean, deviation: deviation.fill(variance > 1e-24 ? Math.sqrt(variance) : 1) };
}

export function standardised({ rows, cols, data }: NumberMatrix, { mean, deviation }: Scale): NumberMatrix {
  const scaled = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) scaled[i * cols + j] = (data[i * cols + j]! - mean[j]!) / deviation[j]!;
  return { rows, cols, data: scaled };
}

/** Matrices of equal rows side by side. */
export function beside(a: NumberMatrix, b: NumberMatrix): NumberMatrix {
  const cols = a.cols + b.cols;
  const data = new Float64Array(a.rows * cols);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.cols; j++) data[i * cols + j] = a.data[i * a.cols + j]!;
    for (let j = 0; j < b.cols; j++) data[i * cols + a.cols + j] = b.data[i * b.cols + j]!;
  }
  return { rows: a.rows, cols, data };
}

import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Samples } from './picture-quality.ts';

/** Principal axes of clean patches and the signal's variance along them. */
export interface PatchBasis {
  side: number;
  channels: number;
  mean: Float64Array;
  /** Rows are axes, `[d, d]`. */
  axes: Float64Array[];
  variance: Float64Array;
}

/** Axes of the patches of clean pictures, at most `most` of them, taken evenly. */
export function fitPatchBasis(images: readonly Samples[], side: number, most = 40_000): PatchBasis {
  const { channels } = images[0]!;
  const d = side * side * channels;
  const places = images.reduce((sum, { width, height }) => sum + (width - side + 1) * (height - side + 1), 0);
  const every = Math.max(1, Math.floor(places / most));
  const mean = new Float64Array(d);
  const second = new Float64Array(d * d);
  const patch = new Float64Array(d);
  let [place, n] = [0, 0];
  for (const image of images)
    for (let y = 0; y + side <= image.height; y++)
      for (let x = 0; x + side <= image.width; x++) {
        if (place++ % every !== 0) continue;
        take(image, x, y, side, patch);
        n++;
        for (let i = 0; i < d; i++) {
          mean[i]! += patch[i]!;
          for (let j = i; j < d; j++) second[i * d + j]! += patch[i]! * patch[j]!;
        }
      }
  for (let i = 0; i < d; i++) mean[i]! /= n;
  const covariance = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++)
    for (let j = i; j < d; j++) {
      const value = second[i * d + j]! / n - mean[i]! * mean[j]!;
      covariance.set(i, j, value);
      covariance.set(j, i, value);
    }
  const decomposition = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  const vectors = decomposition.eigenvectorMatrix;
  return {
    side,
    channels,
    mean,
    axes: Array.from({ length: d }, (_, k) => Float64Array.from({ length: d }, (__, i) => vectors.get(i, k))),
    variance: Float64Array.from(decomposition.realEigenvalues, (value) => Math.max(0, value)),
  };
}

/** Patches multiplied at once: each number of the matrix is loaded once for all of them. */
const TOGETHER = 4;

/**
 * A filter that shrinks every patch along the axes by signal / (signal + noise) and averages the overlapping answers: the
 * best linear guess from patches of this size. Source: Wiener filtering in a PCA basis (Muresan & Parks 2003).
 * @param sigma deviation of the noise in the picture's units
 */
export function pcaWiener(basis: PatchBasis, sigma: number): (image: Samples) => Samples {
  const { side, mean } = basis;
  const d = mean.length;
  const matrix = shrinkage(basis, sigma);
  const patches = Array.from({ length: TOGETHER }, () => new Float64Array(d));
  const [a, b, c, e] = patches as [Float64Array, Float64Array, Float64Array, Float64Array];
  return (image) => {
    const sum = new Float64Array(image.values.length);
    const count = new Float64Array(image.values.length);
    const across = image.width - side + 1;
    const places = across * (image.height - side + 1);
    for (let first = 0; first < places; first += TOGETHER) {
      const taken = Math.min(TOGETHER, places - first);
      const x = (p: number): number => (first + p) % across;
      const y = (p: number): number => Math.floor((first + p) / across);
      for (let p = 0; p < taken; p++) {
        take(image, x(p), y(p), side, patches[p]!);
        for (let i = 0; i < d; i++) patches[p]![i]! -= mean[i]!;
      }
      for (let i = 0, dy = 0; dy < side; dy++)
        for (let dx = 0; dx < side; dx++)
          for (let channel = 0; channel < image.channels; channel++, i++) {
            let [ofA, ofB, ofC, ofE] = [mean[i]!, mean[i]!, mean[i]!, mean[i]!];
            for (let j = 0, at = i * d; j < d; j++, at++) {
              const weight = matrix[at]!;
              ofA += weight * a[j]!;
              ofB += weight * b[j]!;
              ofC += weight * c[j]!;
              ofE += weight * e[j]!;
            }
            const answers = [ofA, ofB, ofC, ofE];
            for (let p = 0; p < taken; p++) {
              const at = ((y(p) + dy) * image.width + x(p) + dx) * image.channels + channel;
              sum[at]! += answers[p]!;
              count[at]!++;
            }
          }
    }
    return { ...image, values: Float32Array.from(sum, (value, i) => value / count[i]!) };
  };
}

/** The shrinking along all axes as one symmetric matrix, `[d, d]`. */
function shrinkage({ mean, axes, variance }: PatchBasis, sigma: number): Float64Array {
  const d = mean.length;
  const matrix = new Float64Array(d * d);
  for (const [k, axis] of axes.entries()) {
    const gain = variance[k]! / (variance[k]! + sigma ** 2);
    for (let i = 0; i < d; i++) {
      const weight = gain * axis[i]!;
      for (let j = i; j < d; j++) matrix[i * d + j]! += weight * axis[j]!;
    }
  }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) matrix[i * d + j] = matrix[j * d + i]!;
  return matrix;
}

function take(image: Samples, x: number, y: number, side: number, into: Float64Array): void {
  let i = 0;
  for (let dy = 0; dy < side; dy++)
    for (let dx = 0; dx < side; dx++)
      for (let k = 0; k < image.channels; k++)
        into[i++] = image.values[((y + dy) * image.width + x + dx) * image.channels + k]!;
}

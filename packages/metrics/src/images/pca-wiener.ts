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

/**
 * Every patch shrunk along the axes by signal / (signal + noise) and the overlapping answers averaged: the best linear
 * guess from patches of this size. Source: Wiener filtering in a PCA basis (Muresan & Parks 2003).
 * @param sigma deviation of the noise in the picture's units
 */
export function pcaWiener(image: Samples, basis: PatchBasis, sigma: number): Samples {
  const { side, mean, axes, variance } = basis;
  const d = mean.length;
  const sum = new Float64Array(image.values.length);
  const count = new Float64Array(image.values.length);
  const patch = new Float64Array(d);
  const answer = new Float64Array(d);
  const gains = variance.map((value) => value / (value + sigma ** 2));
  for (let y = 0; y + side <= image.height; y++)
    for (let x = 0; x + side <= image.width; x++) {
      take(image, x, y, side, patch);
      answer.set(mean);
      for (let k = 0; k < d; k++) {
        if (gains[k]! < 1e-3) continue;
        const axis = axes[k]!;
        let along = 0;
        for (let i = 0; i < d; i++) along += axis[i]! * (patch[i]! - mean[i]!);
        along *= gains[k]!;
        for (let i = 0; i < d; i++) answer[i]! += axis[i]! * along;
      }
      let i = 0;
      for (let dy = 0; dy < side; dy++)
        for (let dx = 0; dx < side; dx++)
          for (let k = 0; k < image.channels; k++) {
            const at = ((y + dy) * image.width + x + dx) * image.channels + k;
            sum[at]! += answer[i++]!;
            count[at]!++;
          }
    }
  return { ...image, values: Float32Array.from(sum, (value, i) => value / count[i]!) };
}

function take(image: Samples, x: number, y: number, side: number, into: Float64Array): void {
  let i = 0;
  for (let dy = 0; dy < side; dy++)
    for (let dx = 0; dx < side; dx++)
      for (let k = 0; k < image.channels; k++)
        into[i++] = image.values[((y + dy) * image.width + x + dx) * image.channels + k]!;
}

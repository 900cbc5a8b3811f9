import { fitPca, type Pca } from '@hourglass/metrics';
import type { ParamArrays } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';
import { realWidth } from '../columns/encoder.ts';
import type { Params } from './layers.ts';
import type { NetworkSpec } from './network.ts';

/** Columns up to which components are computed; the cost grows with their cube. */
export const WIDEST_PCA = 1024;

/** Rows the components are computed from at most: more move them by less than the network's first step. */
const ROWS = 20_000;

/**
 * Principal components of the numeric columns and the elements of vectors `[p]` as a linear encoder and decoder, frozen.
 * They are weighed as the loss weighs them. Of a latent wider than the components there are, the rest begins at zero.
 */
export function pcaBase({ rows, x, w }: EncodedTable, { layout, latentDim: d, ordered }: NetworkSpec): ParamArrays {
  const { numbers, vectors = [] } = layout;
  const width = realWidth(layout);
  const columns = w.length / rows;
  const values = x.length / rows;
  const weights = new Float64Array(width);
  let at = 0;
  [...Array.from({ length: numbers }, () => 1), ...vectors].forEach((length, j) => {
    let weight = 0;
    for (let i = 0; i < rows && weight === 0; i++) weight = Math.sqrt(w[i * columns + j]! / length);
    weights.fill(weight, at, (at += length));
  });
  const step = Math.max(1, rows / ROWS);
  const n = Math.min(rows, ROWS);
  const data = new Float64Array(n * width);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < width; j++) data[i * width + j] = x[Math.floor(i * step) * values + j]! * weights[j]!;
  const encode = new Float32Array(width * d);
  const decode = new Float32Array(d * width);
  const mean = new Float32Array(width);
  const k = Math.min(d, width, n);
  let left: number[] = [];
  if (n > 1) {
    const pca = fitPca({ rows: n, cols: width, data }, k);
    left = leftBy(pca);
    for (let j = 0; j < width; j++) {
      if (weights[j] === 0) continue;
      mean[j] = pca.mean[j]! / weights[j]!;
      for (let c = 0; c < k; c++) {
        encode[j * d + c] = pca.components[c * width + j]! * weights[j]!;
        decode[c * width + j] = pca.components[c * width + j]! / weights[j]!;
      }
    }
  }
  return {
    'skip/pca/encode': { shape: [width, d], values: encode },
    'skip/pca/decode': { shape: [d, width], values: decode },
    'skip/pca/mean': { shape: [width], values: mean },
    ...(ordered ? { [DROPPED]: { shape: [d], values: droppedShares(left, d) } } : {}),
  };
}

/** In what share of the rows each dimension of an ordered latent is dropped, `[d]`. */
export const DROPPED = 'skip/pca/dropped';

/** Share of the variance that the first 1, 2 … k components leave. */
function leftBy({ explainedVarianceRatio }: Pca): number[] {
  let left = 1;
  return Array.from(explainedVarianceRatio, (share) => (left -= share));
}

/** Share of the variance below which no size is tried more often: all components leave nothing. */
const LEAST_LEFT = 0.01;

/**
 * The first k dimensions alone are tried as often as one over the deviation that k components leave (ADR 0063): what all
 * dimensions leave is small, and would hardly be learned beside what one leaves.
 */
function droppedShares(left: number[], d: number): Float32Array {
  const often = Array.from({ length: d }, (_, k) => 1 / Math.sqrt(Math.max(left[k] ?? 0, LEAST_LEFT)));
  const total = often.reduce((sum, each) => sum + each, 0);
  let before = 0;
  return Float32Array.from(often, (each) => {
    const share = before / total;
    before += each;
    return share;
  });
}

/** Coordinates `[b, d]` of rows `x` `[b, p]` along the components. */
export const pcaEncode = (x: Tensor, params: Params): Tensor =>
  tf.matMul(tf.sub(x, params['skip/pca/mean']!) as Tensor2D, params['skip/pca/encode'] as Tensor2D);

/** Rows `[b, p]` from coordinates. */
export const pcaDecode = (z: Tensor, params: Params): Tensor =>
  tf.add(tf.matMul(z as Tensor2D, params['skip/pca/decode'] as Tensor2D), params['skip/pca/mean']!);

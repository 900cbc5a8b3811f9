import type { ParamArrays } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';
import type { Params } from './layers.ts';

/**
 * Bounds of the pieces a number is also shown in, from the quantiles of the training rows; shared and not trained.
 * A column of few distinct values gets fewer pieces, one between each two neighbours: a thermometer of its values.
 *
 * @see Gorishniy et al.: On Embeddings for Numerical Features in Tabular Deep Learning, NeurIPS 2022 (piecewise linear encoding)
 */
export function pieceBounds({ x, w, rows }: EncodedTable, numbers: number, p: number, pieces: number): ParamArrays {
  const columns = rows > 0 ? w.length / rows : p;
  const low = new Float32Array(numbers * pieces);
  // A piece without width stays 0 everywhere.
  const inverse = new Float32Array(numbers * pieces);
  for (let j = 0; j < numbers; j++) {
    const values: number[] = [];
    for (let row = 0; row < rows; row++) if (w[row * columns + j]! > 0) values.push(x[row * p + j]!);
    const sorted = Float64Array.from(values).sort();
    const bounds = boundsOf(sorted, pieces);
    for (let k = 0; k + 1 < bounds.length; k++) {
      low[j * pieces + k] = bounds[k]!;
      inverse[j * pieces + k] = 1 / (bounds[k + 1]! - bounds[k]!);
    }
  }
  return {
    'skip/pieces/low': { shape: [numbers, pieces], values: low },
    'skip/pieces/inverse': { shape: [numbers, pieces], values: inverse },
  };
}

/** At most pieces + 1 rising values: the distinct ones where they are few, else quantiles. */
function boundsOf(sorted: Float64Array, pieces: number): number[] {
  const distinct = (values: Iterable<number>): number[] => [...new Set(values)];
  const all = distinct(sorted);
  if (all.length <= pieces + 1) return all;
  return distinct(
    Array.from({ length: pieces + 1 }, (_, k) => sorted[Math.round((k / pieces) * (sorted.length - 1))]!),
  );
}

/**
 * Numbers in pieces: below a piece 0, above it 1, linear inside.
 * @param x `[b, numbers]`
 * @param mask `[b, numbers]`: where it is 0 all pieces are
 * @returns `[b, numbers · pieces]`
 */
export function inPieces(x: Tensor, mask: Tensor, params: Params): Tensor {
  const low = params['skip/pieces/low']!;
  const [numbers, pieces] = low.shape as [number, number];
  const rows = x.shape[0]!;
  const place = tf.mul(tf.sub(tf.reshape(x, [rows, numbers, 1]), low), params['skip/pieces/inverse']!);
  const shares = tf.minimum(tf.maximum(place, 0), 1);
  return tf.reshape(tf.mul(shares, tf.reshape(mask, [rows, numbers, 1])), [rows, numbers * pieces]);
}

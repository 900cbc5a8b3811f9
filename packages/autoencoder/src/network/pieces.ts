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
export function pieceBounds(columns: readonly ColumnBounds[], pieces: number): ParamArrays {
  const numbers = columns.length;
  const low = new Float32Array(numbers * pieces);
  // A piece without width stays 0 everywhere.
  const inverse = new Float32Array(numbers * pieces);
  columns.forEach(({ bounds }, j) => {
    for (let k = 0; k + 1 < bounds.length; k++) {
      low[j * pieces + k] = bounds[k]!;
      inverse[j * pieces + k] = 1 / (bounds[k + 1]! - bounds[k]!);
    }
  });
  return {
    'skip/pieces/low': { shape: [numbers, pieces], values: low },
    'skip/pieces/inverse': { shape: [numbers, pieces], values: inverse },
  };
}

/** The bounds of a number column's pieces, at most pieces + 1 rising values, and what else its observed values say. */
export interface ColumnBounds<T = unknown> {
  bounds: number[];
  facts: T;
}

/**
 * Of the first `numbers` columns. @param p columns of `x`
 * @param of taken of each column's observed values, ascending: they are not kept, since together they are as large as the rows
 */
export function columnBounds<T>(
  { x, w, rows }: EncodedTable,
  numbers: number,
  p: number,
  pieces: number,
  of: (sorted: Float64Array, bounds: readonly number[]) => T,
): ColumnBounds<T>[] {
  const columns = rows > 0 ? w.length / rows : p;
  return Array.from({ length: numbers }, (_, j) => {
    const values: number[] = [];
    for (let row = 0; row < rows; row++) if (w[row * columns + j]! > 0) values.push(x[row * p + j]!);
    const sorted = Float64Array.from(values).sort();
    const bounds = boundsOf(sorted, pieces);
    return { bounds, facts: of(sorted, bounds) };
  });
}

/** The distinct values where they are few, else quantiles of them: so a column that is mostly 0 has pieces elsewhere too. */
function boundsOf(sorted: Float64Array, pieces: number): number[] {
  const all = sorted.filter((value, i) => i === 0 || value > sorted[i - 1]!);
  if (all.length <= pieces + 1) return [...all];
  return Array.from({ length: pieces + 1 }, (_, k) => all[Math.round((k / pieces) * (all.length - 1))]!);
}

/**
 * Numbers in pieces: below a piece 0, above it 1, linear inside.
 * @param x `[b, numbers]`
 * @param mask `[b, numbers]`: where it is 0 all pieces are
 * @returns `[b, numbers · pieces]`
 */
export function inPieces(x: Tensor, mask: Tensor, params: Params): Tensor {
  const shares = piecesBelow(x, params['skip/pieces/low']!, params['skip/pieces/inverse']!);
  const [rows, numbers, pieces] = shares.shape as [number, number, number];
  return tf.reshape(tf.mul(shares, tf.reshape(mask, [rows, numbers, 1])), [rows, numbers * pieces]);
}

/** How much of each piece lies below a number, `[b, numbers, pieces]`. @param x `[b, numbers]` */
export function piecesBelow(x: Tensor, low: Tensor, inverse: Tensor): Tensor {
  const place = tf.mul(tf.sub(tf.reshape(x, [x.shape[0]!, low.shape[0]!, 1]), low), inverse);
  return tf.minimum(tf.maximum(place, 0), 1);
}

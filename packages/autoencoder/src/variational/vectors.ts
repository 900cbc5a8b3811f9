import type { ParamArrays } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';
import type { ColumnEncoder, TableEncoder } from '../columns/encoder.ts';
import type { Params } from '../network/layers.ts';
import { booleanLoss } from '../network/table-loss.ts';
import type { VariationalNetwork, VectorColumn, VectorOutput } from './network.ts';

/** Frozen parameters that bring the elements in x to a share of white: x · gain + offset, 0 … 1. */
const gainOf = (vector: number): string => `skip/grey/${vector}/gain`;
const offsetOf = (vector: number): string => `skip/grey/${vector}/offset`;

/** Frozen parameters of the lists whose elements are on or off. */
export function greyFrames(columns: readonly ColumnEncoder[], vectors: readonly VectorColumn[]): ParamArrays {
  const frames: ParamArrays = {};
  vectors.forEach(({ column: at, decoder, length }, k) => {
    const column = columns[at]!;
    if (decoder !== 'bernoulli' || column.kind !== 'vector') return;
    const { min, max, scale, center } = column;
    frames[gainOf(k)] = { shape: [1], values: Float32Array.of(scale / (max - min)) };
    frames[offsetOf(k)] = {
      shape: [length],
      values: Float32Array.from(center, (value) => (value - min) / (max - min)),
    };
  });
  return frames;
}

const isBinary = ({ decoder }: VectorColumn): boolean => decoder === 'bernoulli';
const elementsOf = (x: Tensor, { at, length }: VectorColumn): Tensor =>
  x.shape[1] === length ? x : tf.slice(x, [0, at], [x.shape[0]!, length]);

/**
 * Rows whose elements are on or off: each is on with the chance that its grey value says, drawn anew each time, so that no
 * grey value is learned as if it were a third state. Encoder and loss see the same draw.
 * Source: dynamic binarisation (Salakhutdinov & Murray, ICML 2008; Burda et al., ICLR 2016).
 */
export function binarised(
  { vectors }: Pick<VariationalNetwork, 'vectors'>,
  batch: Record<string, Tensor>,
  params: Params,
  uniform: (shape: number[]) => Tensor,
): Record<string, Tensor> {
  if (!vectors.some(isBinary)) return batch;
  const x = batch.x!;
  const [rows, width] = x.shape as [number, number];
  const parts: Tensor[] = [];
  let at = 0;
  const upTo = (end: number): void => {
    if (end > at) parts.push(tf.slice(x, [0, at], [rows, end - at]));
    at = end;
  };
  vectors.forEach((vector, k) => {
    if (!isBinary(vector)) return;
    upTo(vector.at);
    const [gain, offset] = [params[gainOf(k)]!, params[offsetOf(k)]!];
    const grey = tf.add(tf.mul(elementsOf(x, vector), gain), offset);
    const on = tf.step(tf.sub(grey, uniform([rows, vector.length])));
    parts.push(tf.div(tf.sub(on, offset), gain));
    at += vector.length;
  });
  upTo(width);
  return { ...batch, x: parts.length === 1 ? parts[0]! : tf.concat(parts, 1) };
}

/** The same outside of an engine: encoded rows whose elements were drawn on or off. */
export function binarisedRows(
  { columns }: TableEncoder,
  { vectors }: Pick<VariationalNetwork, 'vectors'>,
  encoded: EncodedTable,
  uniform: () => number,
): EncodedTable {
  if (!vectors.some(isBinary)) return encoded;
  const x = encoded.x.slice();
  const width = encoded.x.length / encoded.rows;
  for (const vector of vectors) {
    const column = columns[vector.column]!;
    if (!isBinary(vector) || column.kind !== 'vector') continue;
    const { min, max, scale, center } = column;
    for (let row = 0; row < encoded.rows; row++)
      for (let j = 0; j < vector.length; j++) {
        const place = row * width + vector.at + j;
        const value = x[place]! * scale + center[j]!;
        x[place] = ((uniform() < (value - min) / (max - min) ? max : min) - center[j]!) / scale;
      }
  }
  return { ...encoded, x };
}

export const LOG_TWO_PI = Math.log(2 * Math.PI);

/** −log of a list's elements, summed, `[b]`: in nats; of Gaussian ones as densities in units of the encoder. */
export function vectorLoss(
  { vector, elements, logSigma }: VectorOutput,
  batch: Record<string, Tensor>,
  params: Params,
  k: number,
): Tensor {
  const truth = elementsOf(batch.x!, vector);
  if (logSigma) {
    const error = tf.mul(tf.sub(truth, elements), tf.exp(tf.neg(logSigma)));
    return tf.sum(tf.add(tf.mul(tf.square(error), 0.5), tf.add(logSigma, LOG_TWO_PI / 2)), 1);
  }
  const on = tf.add(tf.mul(truth, params[gainOf(k)]!), params[offsetOf(k)]!);
  return tf.sum(booleanLoss(elements, on), 1);
}

import { layerNorm as normaliseRows, withGradient } from '@hourglass/engine/layers';
import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';

export type Params = Record<string, Tensor>;

/** `x·W + b` with `NAME/kernel [in, out]` and `NAME/bias [out]`; x: `[b, in]`. */
export function dense(x: Tensor, params: Params, name: string): Tensor {
  const y = tf.matMul(x as Tensor2D, params[`${name}/kernel`] as Tensor2D);
  const bias = params[`${name}/bias`];
  return bias ? tf.add(y, bias) : y;
}

/** Layer normalisation over the last axis, with gain `NAME/gain` and bias `NAME/bias`. */
export const layerNorm = (x: Tensor, params: Params, name: string): Tensor =>
  normaliseRows(x, params[`${name}/gain`]!, params[`${name}/bias`]!);

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** GELU in its tanh form, with the gradient written by hand. Source: Hendrycks & Gimpel 2016. */
export const gelu = withGradient((x: Tensor) => {
  const square = tf.square(x);
  const inner = tf.mul(x, tf.add(tf.mul(square, ROOT * CUBIC), ROOT));
  const t = tf.tanh(inner);
  const half = tf.mul(tf.add(t, 1), 0.5);
  return {
    value: tf.mul(x, half),
    saved: [x, t],
    back(dy, [input, tanh]) {
      const slope = tf.add(tf.mul(tf.square(input!), 3 * ROOT * CUBIC), ROOT);
      const inside = tf.mul(tf.mul(tf.sub(1, tf.square(tanh!)), slope), tf.mul(input!, 0.5));
      return [tf.mul(dy, tf.add(inside, tf.mul(tf.add(tanh!, 1), 0.5)))];
    },
  };
});

/**
 * Rows of `NAME/table [codes, width]` for codes `[b]`, as one-hot × matMul: the gradient of a gather is missing on wasm.
 */
export function embed(codes: Tensor, params: Params, name: string): Tensor {
  const table = params[`${name}/table`] as Tensor2D;
  return tf.matMul(
    tf.cast(tf.oneHot(tf.cast(codes, 'int32') as tf.Tensor1D, table.shape[0]), 'float32') as Tensor2D,
    table,
  );
}

/** Zeroes with probability `rate` and scales the rest up. `keep`: a 0/1 draw of the step's random numbers. */
export const dropout = (x: Tensor, keep: Tensor, rate: number): Tensor => tf.mul(x, tf.mul(keep, 1 / (1 - rate)));

/** Columns of y `[b, width]` of which the first `count` are changed. */
export function onFirst(y: Tensor, count: number, change: (part: Tensor) => Tensor): Tensor {
  const [rows, width] = y.shape as [number, number];
  if (count === width) return change(y);
  return tf.concat([change(tf.slice(y, [0, 0], [rows, count])), tf.slice(y, [0, count], [rows, width - count])], 1);
}

import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';

export type Params = Record<string, Tensor>;

/** `x·W + b` with `NAME/kernel [in, out]` and `NAME/bias [out]`; x: `[b, in]`. */
export function dense(x: Tensor, params: Params, name: string): Tensor {
  const y = tf.matMul(x as Tensor2D, params[`${name}/kernel`] as Tensor2D);
  const bias = params[`${name}/bias`];
  return bias ? tf.add(y, bias) : y;
}

const EPSILON = 1e-5;

/**
 * Layer normalisation over the last axis, with gain `NAME/gain` and bias `NAME/bias`. The gradient is written by hand:
 * five reductions fewer than op by op. Source: Ba et al. 2016.
 */
export function layerNorm(x: Tensor, params: Params, name: string): Tensor {
  const normalised = standardise(x);
  return tf.add(tf.mul(normalised, params[`${name}/gain`]!), params[`${name}/bias`]!);
}

const standardise = tf.customGrad((x, save) => {
  const centred = tf.sub(x as Tensor, tf.mean(x as Tensor, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const inverse = tf.rsqrt(tf.add(variance, EPSILON));
  const y = tf.mul(centred, inverse);
  (save as unknown as (tensors: Tensor[]) => void)([y, inverse]);
  return {
    value: y,
    gradFunc: (dy, saved) => {
      const [out, scale] = saved as [Tensor, Tensor];
      const meanDy = tf.mean(dy as Tensor, -1, true);
      const projection = tf.mean(tf.mul(dy as Tensor, out), -1, true);
      return tf.mul(tf.sub(tf.sub(dy as Tensor, meanDy), tf.mul(out, projection)), scale);
    },
  };
}) as (x: Tensor) => Tensor;

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** GELU in its tanh form, with the gradient written by hand. Source: Hendrycks & Gimpel 2016. */
export const gelu = tf.customGrad((x, save) => {
  const square = tf.square(x as Tensor);
  const inner = tf.mul(x as Tensor, tf.add(tf.mul(square, ROOT * CUBIC), ROOT));
  const t = tf.tanh(inner);
  const half = tf.mul(tf.add(t, 1), 0.5);
  (save as unknown as (tensors: Tensor[]) => void)([x as Tensor, t]);
  return {
    value: tf.mul(x as Tensor, half),
    gradFunc: (dy, saved) => {
      const [input, tanh] = saved as [Tensor, Tensor];
      const slope = tf.add(tf.mul(tf.square(input), 3 * ROOT * CUBIC), ROOT);
      const inside = tf.mul(tf.mul(tf.sub(1, tf.square(tanh)), slope), tf.mul(input, 0.5));
      return tf.mul(dy as Tensor, tf.add(inside, tf.mul(tf.add(tanh, 1), 0.5)));
    },
  };
}) as (x: Tensor) => Tensor;

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

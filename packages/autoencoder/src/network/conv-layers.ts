import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import type { ParamBuilder } from './init.ts';
import type { Params } from './layers.ts';

/** `NAME/kernel [k, k, in, out]` and `NAME/bias`, x `[b, h, w, in]`: of stride 1 with zeros around, of stride 2 edge to edge. */
export function conv(x: Tensor, params: Params, name: string, stride = 1): Tensor {
  const kernel = params[`${name}/kernel`] as Tensor4D;
  const y = tf.conv2d(x as Tensor4D, kernel, stride, stride === 1 ? 'same' : 'valid');
  return tf.add(y, params[`${name}/bias`]!);
}

/** The transpose of a 2 × 2 convolution of stride 2: twice the sides, `shape` `[b, h, w, c]`. */
export function grow(x: Tensor, params: Params, name: string, shape: readonly number[]): Tensor {
  const kernel = params[`${name}/kernel`] as Tensor4D;
  const y = tf.conv2dTranspose(x as Tensor4D, kernel, shape as [number, number, number, number], 2, 'valid');
  return tf.add(y, params[`${name}/bias`]!);
}

/** x + W₂ ∗ relu(W₁ ∗ x). */
export const convResidual = (x: Tensor, params: Params, name: string): Tensor =>
  tf.add(x, conv(tf.relu(conv(x, params, `${name}/first`)), params, `${name}/second`));

/** Initial values of such a block: it begins near the identity. */
export function buildConvResidual(build: ParamBuilder, name: string, channels: number): void {
  build.conv(`${name}/first`, 3, channels, channels, Math.SQRT2);
  build.conv(`${name}/second`, 3, channels, channels, 0.1);
}

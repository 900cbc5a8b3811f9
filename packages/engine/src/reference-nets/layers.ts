import * as tf from '@tensorflow/tfjs';

import { groupNorm as normaliseGroups, layerNorm as normaliseRows } from '../layers/index.ts';
import { hostRandom } from '../random/host-random.ts';
import type { DataArray, ParamArrays } from '../types.ts';

type Params = Record<string, tf.Tensor>;

/** Collects initial weights under the names the layers below look for. */
export interface Initialiser {
  params: ParamArrays;
  /** Glorot-uniform `[inputs, outputs]` with zero bias. */
  dense(name: string, inputs: number, outputs: number): void;
  /** `[size, size, inputs, outputs]`, Glorot-uniform, with zero bias. */
  conv(name: string, size: number, inputs: number, outputs: number): void;
  norm(name: string, width: number): void;
  /** Normal `[count, width]`. */
  embedding(name: string, count: number, width: number): void;
}

export function initialiser(seed: number): Initialiser {
  const params: ParamArrays = {};
  const random = hostRandom(seed);
  const uniform = (shape: number[], fanIn: number, fanOut: number) => {
    const limit = Math.sqrt(6 / (fanIn + fanOut));
    const length = shape.reduce((a, b) => a * b, 1);
    return { shape, values: Float32Array.from({ length }, () => (2 * random.uniform() - 1) * limit) };
  };
  const constant = (n: number, value: number) => ({ shape: [n], values: new Float32Array(n).fill(value) });
  return {
    params,
    dense(name, inputs, outputs) {
      params[`${name}/weight`] = uniform([inputs, outputs], inputs, outputs);
      params[`${name}/bias`] = constant(outputs, 0);
    },
    conv(name, size, inputs, outputs) {
      const area = size * size;
      params[`${name}/weight`] = uniform([size, size, inputs, outputs], area * inputs, area * outputs);
      params[`${name}/bias`] = constant(outputs, 0);
    },
    norm(name, width) {
      params[`${name}/norm_scale`] = constant(width, 1);
      params[`${name}/norm_shift`] = constant(width, 0);
    },
    embedding(name, count, width) {
      const values = Float32Array.from({ length: count * width }, () => 0.5 * random.normal());
      params[`${name}/embedding`] = { shape: [count, width], values };
    },
  };
}

export const dense = (p: Params, name: string, x: tf.Tensor): tf.Tensor =>
  tf.add(tf.matMul(x, p[`${name}/weight`]!), p[`${name}/bias`]!);

/** 'same' as PyTorch has it: the same padding on all sides, with strides too. */
export const conv = (p: Params, name: string, x: tf.Tensor, stride = 1): tf.Tensor => {
  const weight = p[`${name}/weight`] as tf.Tensor4D;
  const pad = (weight.shape[0] - 1) / 2;
  return tf.add(tf.conv2d(x as tf.Tensor4D, weight, stride, pad), p[`${name}/bias`]!);
};

export const layerNorm = (p: Params, name: string, x: tf.Tensor): tf.Tensor =>
  normaliseRows(x, p[`${name}/norm_scale`]!, p[`${name}/norm_shift`]!);

export const groupNorm = (p: Params, name: string, x: tf.Tensor, groups = 8): tf.Tensor =>
  normaliseGroups(x, p[`${name}/norm_scale`]!, p[`${name}/norm_shift`]!, groups);

export const upsample = (x: tf.Tensor): tf.Tensor =>
  tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * x.shape[1]!, 2 * x.shape[2]!]);

export function normalData(shape: number[], seed: number): DataArray {
  const random = hostRandom(seed, 1);
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, values: Float32Array.from({ length }, () => random.normal()) };
}

export function uniformData(shape: number[], seed: number): DataArray {
  const random = hostRandom(seed, 1);
  const length = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, values: Float32Array.from({ length }, () => random.uniform()) };
}

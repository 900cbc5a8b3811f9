import { Tensor } from 'onnxruntime-node';

import type { DataArray } from '../types.ts';
import type { Feeds } from './session.ts';
import type { Arrays } from './state-arrays.ts';

export const toTensor = ({ dtype, values, shape }: DataArray): Tensor => new Tensor(dtype, values as never, shape);

/** Arrays as tensors over the same memory. */
export const toTensors = (arrays: Arrays): Feeds =>
  Object.fromEntries(Object.entries(arrays).map(([name, one]) => [name, toTensor(one)]));

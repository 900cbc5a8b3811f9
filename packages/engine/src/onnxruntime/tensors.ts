import { Tensor } from 'onnxruntime-node';

import type { DataArray } from '../types.ts';
import type { Feeds } from './session.ts';

export const toTensor = ({ dtype, values, shape }: DataArray): Tensor => new Tensor(dtype, values as never, shape);

/** Arrays as tensors over the same memory. */
export const toTensors = (arrays: Readonly<Record<string, DataArray>>): Feeds =>
  Object.fromEntries(Object.entries(arrays).map(([name, one]) => [name, toTensor(one)]));

import { HourglassError } from '@hourglass/core';

import type { OptimizerSpec, ParamArrays, TrainingSpec } from './types.ts';

/** Where one parameter lies in the flat vector of all of them. */
export interface ParamSlice {
  name: string;
  shape: number[];
  /** First element. */
  start: number;
  /** One past the last. */
  end: number;
  /** Whether weight decay applies. */
  decays: boolean;
}

/** All parameters as one vector, so that the optimizer is one loop (or one chain of ops) however many there are. */
export interface ParamLayout {
  slices: ParamSlice[];
  size: number;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, d) => product * d, 1);

const NO_DECAY = /bias|norm|embed/i;

/** @throws CALL_INVALID a parameter whose values do not fill its shape */
export function paramLayout(params: ParamArrays, optimizer?: OptimizerSpec): ParamLayout {
  let size = 0;
  const slices = Object.entries(params).map(([name, { shape, values }]): ParamSlice => {
    if (values.length !== sizeOf(shape))
      throw new HourglassError(
        'CALL_INVALID',
        `Parameter ${name}: shape [${shape.join(', ')}] needs ${sizeOf(shape)} values, found ${values.length}.`,
      );
    const start = size;
    size += values.length;
    const decays = optimizer?.noDecay ? !optimizer.noDecay.test(name) : shape.length >= 2 && !NO_DECAY.test(name);
    return { name, shape: [...shape], start, end: size, decays };
  });
  return { slices, size };
}

/** Parameters by what changes them: gradients, the step itself, nothing. */
export interface SplitParams {
  trained: ParamArrays;
  buffers: ParamArrays;
  frozen: ParamArrays;
}

/** @throws CALL_INVALID a name of a frozen parameter or a buffer that is no parameter, or that is both */
export function splitParams({
  params,
  frozen = [],
  buffers = [],
}: Pick<TrainingSpec, 'params' | 'frozen' | 'buffers'>): SplitParams {
  for (const [kind, names] of [
    ['Frozen parameter', frozen],
    ['Buffer', buffers],
  ] as const) {
    const unknown = names.find((name) => !params[name]);
    if (unknown !== undefined)
      throw new HourglassError(
        'CALL_INVALID',
        `${kind} ${unknown} is no parameter: expected some of ${Object.keys(params).join(', ')}.`,
      );
  }
  const both = frozen.find((name) => buffers.includes(name));
  if (both !== undefined)
    throw new HourglassError('CALL_INVALID', `Parameter ${both} is frozen and a buffer: expected one of the two.`);
  const pick = (keep: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(params).filter(([name]) => keep(name)));
  return {
    trained: pick((name) => !frozen.includes(name) && !buffers.includes(name)),
    buffers: pick((name) => buffers.includes(name)),
    frozen: pick((name) => frozen.includes(name)),
  };
}

/** The values of parameters by name. */
export const paramValues = (params: ParamArrays): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(params).map(([name, { values }]) => [name, values]));

/** Named arrays → one vector. @throws CALL_INVALID a name that is missing or of another size */
export function flatten(layout: ParamLayout, arrays: Record<string, Float32Array>, prefix = ''): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, start, end } of layout.slices) {
    const values = arrays[prefix + name];
    if (values?.length !== end - start)
      throw new HourglassError(
        'CALL_INVALID',
        `Training state: ${prefix}${name} should hold ${end - start} values, found ${values?.length ?? 'none'}. ` +
          'The state belongs to another net.',
      );
    flat.set(values, start);
  }
  return flat;
}

/** One vector → named copies. */
export function unflatten(layout: ParamLayout, flat: Float32Array, prefix = ''): Record<string, Float32Array> {
  return Object.fromEntries(layout.slices.map(({ name, start, end }) => [prefix + name, flat.slice(start, end)]));
}

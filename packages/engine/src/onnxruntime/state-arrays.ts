import type { FlatTraining } from '../compiled/training.ts';
import type { ParamLayout } from '../flat-params.ts';
import { fromGroups, toGroups, type VectorGroups } from '../onnx/param-groups.ts';
import type { DataArray } from '../types.ts';

export type Arrays = Readonly<Record<string, DataArray>>;

/** Arrays as `PREFIX/NAME`. */
export const prefixed = (prefix: string, arrays: Arrays): Arrays =>
  Object.fromEntries(Object.entries(arrays).map(([name, one]) => [`${prefix}/${name}`, one]));

/** A flat vector as an array `PREFIX/NAME` for each parameter, over the same memory. */
export const layoutArrays = (prefix: string, { slices }: ParamLayout, flat: Float32Array): Arrays =>
  Object.fromEntries(
    slices.map(({ name, shape, start, end }) => [
      `${prefix}/${name}`,
      { dtype: 'float32', shape, values: flat.subarray(start, end) },
    ]),
  );

/** The vectors of a state as the tensors `VECTOR/N` that a model takes. */
export const stateArrays = (groups: readonly VectorGroups[], { state }: FlatTraining): Arrays =>
  Object.fromEntries(
    groups.flatMap(({ vector, groups }) =>
      toGroups(groups, state[vector]!).map((values, i) => [
        `${vector}/${i}`,
        { dtype: 'float32', shape: groups[i]!.shape, values },
      ]),
    ),
  );

/** The flat vectors again. @param valuesOf of `VECTOR/N` */
export const flatState = (
  groups: readonly VectorGroups[],
  valuesOf: (name: string) => Float32Array,
): FlatTraining['state'] =>
  Object.fromEntries(
    groups.map(({ vector, groups, size }) => [
      vector,
      fromGroups(
        groups,
        groups.map((_, i) => valuesOf(`${vector}/${i}`)),
        size,
      ),
    ]),
  );

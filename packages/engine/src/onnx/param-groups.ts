import { stateVectors, type StateVector, type StepGraph } from '../compiled/training.ts';
import { sizeOf, type ParamLayout, type ParamSlice } from '../flat-params.ts';

/** Parameters that are one tensor of the state of an ONNX training. */
export interface ParamGroup {
  slices: ParamSlice[];
  shape: number[];
  decays: boolean;
}

/** From so many values on a parameter is a tensor of its own: what joining it with others copies costs more than nodes. */
const LARGE = 16_384;

/** Large parameters alone, in their own shape; the small ones, with and without weight decay, as one vector each. */
export function paramGroups({ slices }: ParamLayout): ParamGroup[] {
  const isLarge = ({ start, end }: ParamSlice) => end - start >= LARGE;
  const large = slices.filter(isLarge).map((one): ParamGroup => ({
    slices: [one],
    shape: one.shape,
    decays: one.decays,
  }));
  const small = [true, false]
    .map((decays) => ({ decays, slices: slices.filter((one) => !isLarge(one) && one.decays === decays) }))
    .filter((group) => group.slices.length > 0)
    .map((group): ParamGroup => ({
      ...group,
      shape: [group.slices.reduce((size, { shape }) => size + sizeOf(shape), 0)],
    }));
  return [...large, ...small];
}

/** A vector of the state, and the tensors it is cut into. */
export interface VectorGroups {
  vector: StateVector;
  groups: ParamGroup[];
  /** Of the whole vector. */
  size: number;
}

export const vectorGroups = (layouts: Pick<StepGraph, 'layout' | 'buffers' | 'optimizer'>): VectorGroups[] =>
  stateVectors(layouts).map(([vector, layout]) => ({ vector, groups: paramGroups(layout), size: layout.size }));

/** The flat vector as one of each group. */
export const toGroups = (groups: readonly ParamGroup[], flat: Float32Array): Float32Array[] =>
  groups.map(({ slices, shape }) => {
    const values = new Float32Array(sizeOf(shape));
    let at = 0;
    for (const { start, end } of slices) {
      values.set(flat.subarray(start, end), at);
      at += end - start;
    }
    return values;
  });

/** One vector of each group as the flat one. */
export function fromGroups(groups: readonly ParamGroup[], values: readonly Float32Array[], size: number): Float32Array {
  const flat = new Float32Array(size);
  groups.forEach(({ slices }, i) => {
    let at = 0;
    for (const { start, end } of slices) {
      flat.set(values[i]!.subarray(at, at + end - start), start);
      at += end - start;
    }
  });
  return flat;
}

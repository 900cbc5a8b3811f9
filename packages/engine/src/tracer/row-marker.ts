import { sizeOf } from '../flat-params.ts';
import type { ParamArrays } from '../types.ts';
import type { DataShape } from '../training-data.ts';

/** Primes that hardly any net has as a size, so that what depends on the rows of a batch can be told from what does not. */
const MARKERS = [10007, 20011, 30011, 40009];

/** A number of rows to trace a forward pass with, of which no size of the net is a multiple. */
export function rowMarker(params: ParamArrays, data: Record<string, DataShape>): number {
  const shapes = [...Object.values(params).map((p) => p.shape), ...Object.values(data).map((a) => a.rowShape)];
  const sizes = shapes.flatMap((shape) => [...shape, sizeOf(shape)]);
  return MARKERS.find((marker) => sizes.every((d) => d === 0 || d % marker !== 0))!;
}

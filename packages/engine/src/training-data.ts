import { HourglassError } from '@hourglass/core';

import { sizeOf } from './flat-params.ts';
import type { DataArray } from './types.ts';

/** Shape and type of one row's worth of a data array. */
export interface DataShape {
  rowShape: number[];
  dtype: DataArray['dtype'];
}

export const dataShapes = (data: Record<string, DataArray>): Record<string, DataShape> =>
  Object.fromEntries(Object.entries(data).map(([name, a]) => [name, { rowShape: a.shape.slice(1), dtype: a.dtype }]));

/** Rows all arrays have in common. @throws CALL_INVALID arrays of different lengths or whose values do not fill their shape */
export function rowCount(data: Record<string, DataArray>): number {
  let rows: number | undefined;
  for (const [name, { shape, values }] of Object.entries(data)) {
    if (shape.length === 0 || values.length !== sizeOf(shape))
      throw new HourglassError(
        'CALL_INVALID',
        `Data ${name}: expected [rows, …] with ${sizeOf(shape)} values for shape [${shape.join(', ')}], found ${values.length}.`,
      );
    if (rows !== undefined && shape[0] !== rows)
      throw new HourglassError('CALL_INVALID', `Data ${name} has ${shape[0]} rows, the arrays before it ${rows}.`);
    rows = shape[0]!;
  }
  if (rows === undefined) throw new HourglassError('CALL_INVALID', 'There is no data: expected at least one array.');
  return rows;
}

/**
 * Rows of data that are to take the place of others. @throws CALL_INVALID names, types or shapes of a row that differ
 */
export function sameKind(data: Record<string, DataArray>, like: Record<string, DataShape>): number {
  const found = dataShapes(data);
  const kind = (a: DataShape | undefined) => (a ? `${a.dtype} [rows, ${a.rowShape.join(', ')}]` : 'none');
  for (const name of new Set([...Object.keys(like), ...Object.keys(data)]))
    if (kind(found[name]) !== kind(like[name]))
      throw new HourglassError(
        'CALL_INVALID',
        `Data ${name}: expected ${kind(like[name])} as at the start of the training, found ${kind(found[name])}.`,
      );
  return rowCount(data);
}

/** Rows `order[from … to)` of an array, as a new array. */
export function gatherRows(array: DataArray, order: ArrayLike<number>, from: number, to: number): DataArray {
  const width = sizeOf(array.shape.slice(1));
  const shape = [to - from, ...array.shape.slice(1)];
  if (array.dtype === 'int32') {
    const values = new Int32Array((to - from) * width);
    copyRows(array.values, values, width, order, from, to);
    return { dtype: 'int32', shape, values };
  }
  const values = new Float32Array((to - from) * width);
  copyRows(array.values, values, width, order, from, to);
  return { dtype: 'float32', shape, values };
}

/** Copies rows `order[from … to)` of `width` numbers each, one after the other. */
export function copyRows<A extends Float64Array | Float32Array | Int32Array>(
  source: A,
  target: A,
  width: number,
  order: ArrayLike<number>,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    const row = order[i]! * width;
    const at = (i - from) * width;
    // A call to set() costs more than a short row.
    if (width <= 32) for (let j = 0; j < width; j++) target[at + j] = source[row + j]!;
    else target.set(source.subarray(row, row + width) as never, at);
  }
}

/** Rows `from … to` of an array, sharing memory. */
export function sliceRows(array: DataArray, from: number, to: number): DataArray {
  const width = sizeOf(array.shape.slice(1));
  const shape = [to - from, ...array.shape.slice(1)];
  return array.dtype === 'int32'
    ? { dtype: 'int32', shape, values: array.values.subarray(from * width, to * width) }
    : { dtype: 'float32', shape, values: array.values.subarray(from * width, to * width) };
}

/**
 * Checks a slice of an epoch. @returns the number of batches in the epoch
 * @throws CALL_INVALID batches outside the order, or rows outside the data
 */
export function checkSlice(order: Int32Array, rows: number, batchSize: number, from: number, to: number): number {
  const batches = Math.ceil(order.length / batchSize);
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= batches))
    throw new HourglassError(
      'CALL_INVALID',
      `Batches ${from} … ${to}: expected whole numbers within 0 … ${batches} (${order.length} rows in batches of ${batchSize}).`,
    );
  for (let i = from * batchSize; i < Math.min(order.length, to * batchSize); i++)
    if (!(order[i]! >= 0 && order[i]! < rows))
      throw new HourglassError('CALL_INVALID', `Order: row ${order[i]} at ${i} lies outside 0 … ${rows - 1}.`);
  return batches;
}

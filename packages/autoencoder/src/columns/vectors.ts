import { HourglassError } from '@hourglass/core';
import type { Column, Table, VectorData } from '@hourglass/dataset';
import type { VectorEncoder } from './encoder.ts';
import { takeCells } from './take-cells.ts';

/** Running sums over the vectors of a column, exact enough for pixels and embeddings: in double, centred on the first. */
export interface VectorMoments {
  rows: number;
  observed: number;
  shift: Float64Array;
  sum: Float64Array;
  squares: Float64Array;
  min: number;
  max: number;
  integer: boolean;
}

/** Starts sums over vectors of that length. */
export const vectorMoments = (length: number): VectorMoments => ({
  rows: 0,
  observed: 0,
  shift: new Float64Array(length),
  sum: new Float64Array(length),
  squares: new Float64Array(length),
  min: Infinity,
  max: -Infinity,
  integer: true,
});

/** Adds rows. @throws COLUMN_INVALID at an element that is infinite or missing within a vector */
export function addVectors(moments: VectorMoments, name: string, { values, length }: VectorData): void {
  const { shift, sum, squares } = moments;
  const rows = values.length / length;
  for (let row = 0; row < rows; row++, moments.rows++) {
    const from = row * length;
    if (isMissing(values, from, length, name, moments.rows)) continue;
    if (moments.observed++ === 0) for (let j = 0; j < length; j++) shift[j] = values[from + j]!;
    for (let j = 0; j < length; j++) {
      const value = values[from + j]!;
      const moved = value - shift[j]!;
      sum[j]! += moved;
      squares[j]! += moved * moved;
      if (value < moments.min) moments.min = value;
      if (value > moments.max) moments.max = value;
      if (moments.integer && !Number.isInteger(value)) moments.integer = false;
    }
  }
}

/** The encoder of a vector column from its sums. A cell costs 1 where only the means are known, as in every column. */
export function vectorEncoder({ name, type }: Column, moments: VectorMoments): VectorEncoder {
  const { observed, rows, shift, sum, squares } = moments;
  const length = shift.length;
  const n = Math.max(1, observed);
  const center = shift.map((value, j) => value + sum[j]! / n);
  let variance = 0;
  for (let j = 0; j < length; j++) variance += Math.max(0, squares[j]! / n - (sum[j]! / n) ** 2) / length;
  return {
    kind: 'vector',
    name,
    type,
    missing: rows > 0 ? 1 - observed / rows : 0,
    weight: 1,
    length,
    center,
    scale: Math.sqrt(variance) || 1,
    min: observed > 0 ? moments.min : NaN,
    max: observed > 0 ? moments.max : NaN,
    integer: observed > 0 && moments.integer,
  };
}

/** Writes normalised elements into x from its column `at` on, and tells which rows are observed. @throws COLUMN_INVALID */
export function encodeVectors(
  { name, length, center, scale }: VectorEncoder,
  { values }: VectorData,
  firstRow: number,
  x: Float32Array,
  { at, width }: { at: number; width: number },
  observed: (row: number) => void,
): void {
  const rows = values.length / length;
  for (let row = 0; row < rows; row++) {
    const from = row * length;
    if (isMissing(values, from, length, name, firstRow + row)) continue;
    for (let j = 0; j < length; j++) x[row * width + at + j] = (values[from + j]! - center[j]!) / scale;
    observed(row);
  }
}

/** Elements back in the table's units. */
export function decodeVectors(
  { length, center, scale, min, max, integer }: VectorEncoder,
  values: Float32Array,
  { at, width, rows, exact }: { at: number; width: number; rows: number; exact: boolean },
): VectorData {
  const decoded = new Float64Array(rows * length);
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < length; j++) {
      const value = values[row * width + at + j]! * scale + center[j]!;
      decoded[row * length + j] = exact ? value : Math.min(Math.max(integer ? Math.round(value) : value, min), max);
    }
  return { values: decoded, length };
}

/** The rows named, in that order. */
export const takeVectors = ({ values, length }: VectorData, rows: ArrayLike<number>): VectorData => ({
  values: takeCells(values, length, rows),
  length,
});

/** `vectors` of a table with only the rows named; nothing where it has none. */
export const vectorsOf = ({ vectors }: Table, rows: ArrayLike<number>): Pick<Table, 'vectors'> =>
  vectors
    ? { vectors: Object.fromEntries(Object.entries(vectors).map(([name, data]) => [name, takeVectors(data, rows)])) }
    : {};

/** A vector is missing as a whole or not at all. */
function isMissing(values: VectorData['values'], from: number, length: number, name: string, row: number): boolean {
  let missing = 0;
  for (let j = 0; j < length; j++) {
    const value = values[from + j]!;
    if (value === Infinity || value === -Infinity) throw broken(name, row, j, 'infinite');
    if (Number.isNaN(value)) missing++;
    else if (missing > 0) throw broken(name, row, j - 1, 'NaN');
  }
  if (missing > 0 && missing < length) throw broken(name, row, length - missing, 'NaN');
  return missing > 0;
}

const broken = (column: string, row: number, element: number, found: string): HourglassError =>
  new HourglassError(
    'COLUMN_INVALID',
    `column "${column}": element ${element + 1} of the vector in row ${row} is ${found}; a vector has all its elements or is ` +
      'missing (NULL) as a whole: fill or drop the row, or exclude the column',
    { details: { column, row, element } },
  );

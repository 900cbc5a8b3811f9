import { takeCells } from '../columns/take-cells.ts';
import type { DataArray } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';

/** Encoded rows as the engine takes them; what a table does not have (dates, categories, numbers) is left out. */
export function toData(encoded: EncodedTable): Record<string, DataArray> {
  const { rows, x, w, codes, cycles } = encoded;
  const data: Record<string, DataArray> = { w: floats(rows, w) };
  if (x.length > 0) data.x = floats(rows, x);
  if (codes.length > 0) data.codes = { dtype: 'int32', shape: [rows, codes.length / rows], values: codes };
  if (cycles.length > 0) data.cycles = floats(rows, cycles);
  return data;
}

export const floats = (rows: number, values: Float32Array): DataArray => ({
  dtype: 'float32',
  shape: [rows, rows > 0 ? values.length / rows : 0],
  values,
});

/** The same rows inside a step. */
export interface TableBatch {
  /** `[b, p]`, absent without numbers and booleans. */
  x?: Tensor;
  /** `[b, C]`: the column's loss weight where the cell is observed, 0 where it is missing. */
  w: Tensor;
  /** `[b, q]` int32, absent without categories. */
  codes?: Tensor;
  /** `[b, c]`, absent without dates. */
  cycles?: Tensor;
}

export const toBatch = (batch: Record<string, Tensor>): TableBatch => batch as unknown as TableBatch;

/** Some rows of an encoded table, in the order given. */
export function takeRows(encoded: EncodedTable, rows: ArrayLike<number>): EncodedTable {
  const take = <A extends Float32Array | Int32Array>(values: A): A =>
    takeCells(values, encoded.rows > 0 ? values.length / encoded.rows : 0, rows);
  return {
    rows: rows.length,
    x: take(encoded.x),
    w: take(encoded.w),
    codes: take(encoded.codes),
    cycles: take(encoded.cycles),
    unknown: encoded.unknown,
  };
}

/** Encoded tables of the same columns, one after the other. */
export function concatRows(tables: EncodedTable[]): EncodedTable {
  const joined = <A extends Float32Array | Int32Array>(
    pick: (table: EncodedTable) => A,
    make: (length: number) => A,
  ): A => {
    const whole = make(tables.reduce((sum, table) => sum + pick(table).length, 0));
    let at = 0;
    for (const table of tables) {
      whole.set(pick(table), at);
      at += pick(table).length;
    }
    return whole;
  };
  const floats32 = (length: number): Float32Array => new Float32Array(length);
  const unknown: Record<string, number> = {};
  for (const table of tables)
    for (const [name, count] of Object.entries(table.unknown)) unknown[name] = (unknown[name] ?? 0) + count;
  return {
    rows: tables.reduce((sum, table) => sum + table.rows, 0),
    x: joined((table) => table.x, floats32),
    w: joined((table) => table.w, floats32),
    codes: joined(
      (table) => table.codes,
      (length) => new Int32Array(length),
    ),
    cycles: joined((table) => table.cycles, floats32),
    unknown,
  };
}

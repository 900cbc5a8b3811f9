import type { ColumnData, Table } from '@hourglass/dataset';
import type { DataArray } from '@hourglass/engine';
import type { EncodedTable } from '../columns/encode.ts';
import type { TableEncoder } from '../columns/encoder.ts';
import { toData } from '../model/data.ts';
import type { ColumnHead } from './heads.ts';
import { encodeMode } from './modes.ts';

/** What the decoder is compared with, columns in the order of the groups. */
export interface Targets extends Record<string, DataArray> {
  /** `[n, C]`: class of each cell. */
  target: DataArray;
  /** `[n, C]`: score within the class, 0 where it has none. */
  score: DataArray;
}

/** @param order columns (the encoder's) in the order of the groups; @param table the learned columns of the rows */
export function encodeTargets(
  encoder: TableEncoder,
  heads: readonly ColumnHead[],
  order: readonly number[],
  table: Table,
): Targets {
  const width = order.length;
  const target = new Int32Array(table.rows * width);
  const score = new Float32Array(table.rows * width);
  order.forEach((column, at) => {
    const classOf = classReader(encoder, heads[column]!, column, table.columns[encoder.columns[column]!.name]!);
    for (let row = 0; row < table.rows; row++) {
      const cell = classOf(row);
      target[row * width + at] = cell.index;
      score[row * width + at] = cell.score;
    }
  });
  return {
    target: { dtype: 'int32', shape: [table.rows, width], values: target },
    score: { dtype: 'float32', shape: [table.rows, width], values: score },
  };
}

interface Cell {
  index: number;
  score: number;
}

function classReader(
  { columns }: TableEncoder,
  { missing, modes }: ColumnHead,
  at: number,
  data: ColumnData,
): (row: number) => Cell {
  const column = columns[at]!;
  const first = missing ? 1 : 0;
  if (column.kind === 'category') {
    const index = new Map(column.categories.map((name, k) => [name, k + first]));
    const of = (name: string): Cell => ({ index: index.get(name) ?? 0, score: 0 });
    if (data.kind === 'category') {
      const cells = data.categories.map(of);
      return (row) => (data.codes[row]! < 0 ? MISSING : cells[data.codes[row]!]!);
    }
    return (row) => (Number.isNaN(data.values[row]!) ? MISSING : of(String(data.values[row])));
  }
  const values = (data as { values: Float64Array }).values;
  return (row) => {
    const value = values[row]!;
    if (Number.isNaN(value)) return MISSING;
    if (!modes) return { index: value + first, score: 0 };
    const { mode, score } = encodeMode(modes, value);
    return { index: mode + first, score };
  };
}

const MISSING: Cell = { index: 0, score: 0 };

/**
 * Encoded rows as the network takes them, with what its decoder is compared with.
 * @param order as of {@link encodeTargets} @param table the learned columns of the rows
 */
export const comparedRows = (
  encoder: TableEncoder,
  heads: readonly ColumnHead[],
  order: readonly number[],
  encoded: EncodedTable,
  table: Table,
): Record<string, DataArray> => ({
  ...toData(encoded),
  ...(order.length > 0 ? encodeTargets(encoder, heads, order, table) : {}),
});

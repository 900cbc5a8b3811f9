import type { Table } from '@hourglass/dataset';
import { encodeCategory } from './category.ts';
import { writeCycles } from './dates.ts';
import { columnCount, tableLayout, UNKNOWN_CODE, valueWidth, type TableEncoder } from './encoder.ts';
import { assertFinite } from './fit.ts';
import { normalise } from './normaliser.ts';
import { encodeVectors } from './vectors.ts';

/**
 * A table as the network sees it, row-major, n rows; p numbers, elements of vectors and booleans, q categories, C learned
 * columns. Without vectors C = p + q.
 */
export interface EncodedTable {
  rows: number;
  /** `[n, p]`: normalised numbers and elements of vectors, then booleans as 0 / 1; 0 where missing. */
  x: Float32Array;
  /** `[n, C]`: the column's loss weight where the cell is observed, 0 where it is missing; so `step(w)` is the mask. */
  w: Float32Array;
  /** `[n, q]`: 0 missing, 1 unknown, then the categories. */
  codes: Int32Array;
  /** `[n, c]`: sines and cosines of dates, 0 where missing. */
  cycles: Float32Array;
  /** Categories never seen in training: how many cells of which column. */
  unknown: Record<string, number>;
}

/** Encodes the rows of a table that holds the learned columns. @throws COLUMN_INVALID at an infinite value */
export function encodeTable(encoder: TableEncoder, table: Table, firstRow = 0): EncodedTable {
  const n = table.rows;
  const layout = tableLayout(encoder);
  const p = valueWidth(layout);
  const q = layout.categories.length;
  const width = columnCount(layout);
  const cycleWidth = layout.cycles.reduce((sum, { width }) => sum + width, 0);
  const encoded: EncodedTable = {
    rows: n,
    x: new Float32Array(n * p),
    w: new Float32Array(n * width),
    codes: new Int32Array(n * q),
    cycles: new Float32Array(n * cycleWidth),
    unknown: {},
  };
  let cycleAt = 0;
  /** Where the column stands in x. */
  let at = 0;
  encoder.columns.forEach((column, j) => {
    const { weight } = column;
    if (column.kind === 'vector') {
      encodeVectors(column, table.vectors![column.name]!, firstRow, encoded.x, { at, width: p }, (row) => {
        encoded.w[row * width + j] = weight;
      });
      at += column.length;
      return;
    }
    const data = table.columns[column.name]!;
    if (column.kind === 'category') {
      let unknown = 0;
      encodeCategory(column, data, (row, code) => {
        encoded.codes[row * q + (j - width + q)] = code;
        if (code === UNKNOWN_CODE) unknown++;
        if (code !== 0) encoded.w[row * width + j] = weight;
      });
      if (unknown > 0) encoded.unknown[column.name] = unknown;
      return;
    }
    if (data.kind !== 'numeric') throw new Error(`column ${column.name} was checked to be numeric`);
    assertFinite(column.name, data.values, firstRow);
    const cycles = column.kind === 'number' ? column.cycles : [];
    for (let row = 0; row < n; row++) {
      const value = data.values[row]!;
      if (Number.isNaN(value)) continue;
      encoded.x[row * p + at] = column.kind === 'number' ? normalise(column.map, value) : value;
      encoded.w[row * width + j] = weight;
      if (cycles.length > 0) writeCycles(value, cycles, encoded.cycles, row * cycleWidth + cycleAt);
    }
    at++;
    cycleAt += 2 * cycles.length;
  });
  return encoded;
}

import type { ColumnData, Table } from '@hourglass/dataset';
import { drawUniform } from '@hourglass/engine';
import { concatRows } from '../model/data.ts';
import { encodeTable, type EncodedTable } from './encode.ts';
import type { TableEncoder } from './encoder.ts';
import type { TableSource } from './fit.ts';
import { vectorsOf } from './vectors.ts';

/** Encodes a table, or about `maxRows` of its rows where it is larger; which ones depends on the seed alone. */
export async function encodeSample(
  source: TableSource,
  encoder: TableEncoder,
  maxRows: number,
  seed: number,
): Promise<EncodedTable> {
  const names = encoder.columns.map((column) => column.name);
  if (source.rows <= maxRows || !source.chunks) return encodeTable(encoder, await source.table(names));
  const share = maxRows / source.rows;
  const sampled: EncodedTable[] = [];
  let firstRow = 0;
  for await (const chunk of source.chunks(names)) {
    const draws = drawUniform({ seed, domain: 'order', step: 0, call: 2 }, chunk.rows, firstRow);
    const rows = Array.from(draws.keys()).filter((row) => draws[row]! < share);
    sampled.push(encodeTable(encoder, takeTableRows(chunk, rows), firstRow));
    firstRow += chunk.rows;
  }
  return concatRows(sampled);
}

/** Some rows of a table, in the order given. */
export const takeTableRows = (table: Table, rows: readonly number[]): Table => ({
  rows: rows.length,
  ...vectorsOf(table, rows),
  columns: Object.fromEntries(
    Object.entries(table.columns).map(([name, data]): [string, ColumnData] => [
      name,
      data.kind === 'numeric'
        ? { kind: 'numeric', values: Float64Array.from(rows, (row) => data.values[row]!) }
        : { ...data, codes: Int32Array.from(rows, (row) => data.codes[row]!) },
    ]),
  ),
});

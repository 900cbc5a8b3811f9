import type { DuckDBListVector } from '@duckdb/node-api';
import { chunksOf, withConnection, type Connection } from './duckdb.ts';
import { ident } from './sql.ts';
import { segmentRelation, type Segment } from './segments.ts';
import type { Column, VectorData } from './types.ts';

type Floats = Float32Array | Float64Array;

/** Element types of which single precision holds every value. */
const SINGLE = /^(FLOAT|U?TINYINT|U?SMALLINT)\[/;

/** Whether a vector's values are held in single precision. */
export const isSingle = ({ physical }: Pick<Column, 'physical'>): boolean => SINGLE.test(physical);

/** A vector column of some rows in memory. */
export async function readVectors(
  column: Column,
  columns: Column[],
  pieces: Segment[],
  rows: number,
): Promise<VectorData> {
  const length = column.length!;
  const values = isSingle(column) ? new Float32Array(rows * length) : new Float64Array(rows * length);
  await withConnection(async (connection) => {
    let row = 0;
    for (const piece of pieces)
      row += await eachVector(connection, segmentRelation(piece, columns), column, (i, cells) =>
        cells ? values.set(cells, (row + i) * length) : values.fill(NaN, (row + i) * length, (row + i + 1) * length),
      );
  });
  return { values, length };
}

/**
 * Hands out the vectors of a relation in order, undefined where missing. The array is the database's own: copy it.
 * @returns rows
 */
export async function eachVector(
  connection: Connection,
  relation: string,
  column: Column,
  visit: (row: number, cells: Floats | undefined) => void,
): Promise<number> {
  const type = isSingle(column) ? 'FLOAT' : 'DOUBLE';
  const result = await connection.stream(`SELECT ${ident(column.name)}::${type}[] FROM ${relation}`);
  let row = 0;
  for await (const chunk of chunksOf(result)) {
    const list = chunk.getColumnVector(0) as DuckDBListVector;
    // The typed array behind the items is not part of the package's types.
    const { items } = list.childVector as unknown as { items: Floats };
    for (let i = 0; i < chunk.rowCount; i++, row++) {
      const length = list.getEntryLength(i);
      const from = list.getEntryOffset(i);
      visit(row, length === column.length ? items.subarray(from, from + length) : undefined);
    }
  }
  return row;
}

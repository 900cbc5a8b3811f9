import { RecordBatch, Schema, Struct, Table as ArrowTable, makeData, type Field } from 'apache-arrow';
import { arrowData, arrowField } from './arrow-types.ts';
import { pickColumns } from './columns.ts';
import { chunksOf, connect } from './duckdb.ts';
import { ident } from './sql.ts';
import { segmentRelation, segments, type LocalPart } from './segments.ts';
import type { Column, RowRange } from './types.ts';

/** Record batches of a range of rows, of 2 048 rows each at most. */
export async function* arrowBatches(
  columns: Column[],
  parts: LocalPart[],
  wanted: readonly string[] | undefined,
  range: RowRange = {},
): AsyncGenerator<RecordBatch, Schema> {
  const picked = wanted === undefined ? columns : pickColumns(columns, wanted, 'Arrow table of a dataset');
  const fields: Field[] = picked.map((column) => arrowField(column));
  const schema = new Schema(fields);
  const struct = new Struct(fields);
  const select = picked.map((column) => ident(column.name)).join(', ');
  const connection = await connect();
  try {
    for (const piece of segments(parts, range)) {
      const result = await connection.stream(`SELECT ${select} FROM ${segmentRelation(piece, columns)}`);
      for await (const chunk of chunksOf(result)) {
        const children = fields.map((field, j) => arrowData(field.type, chunk.getColumnValues(j), picked[j]!));
        yield new RecordBatch(schema, makeData({ type: struct, length: chunk.rowCount, nullCount: 0, children }));
      }
    }
  } finally {
    connection.close();
  }
  return schema;
}

/** Columns as an Apache Arrow table, exactly as stored. @throws COLUMN_NOT_FOUND, COLUMN_INVALID */
export async function readArrow(
  columns: Column[],
  parts: LocalPart[],
  wanted: readonly string[] | undefined,
  range: RowRange = {},
): Promise<ArrowTable> {
  const batches = arrowBatches(columns, parts, wanted, range);
  const all: RecordBatch[] = [];
  for (;;) {
    const next = await batches.next();
    if (next.done) return new ArrowTable(next.value, all);
    all.push(next.value);
  }
}

import { RecordBatch, Schema, Struct, Table as ArrowTable, makeData, type Data, type DataType } from 'apache-arrow';
import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import { arrowData, arrowField } from './arrow-types.ts';
import { isPlain } from './arrow-values.ts';
import { pickColumns } from './columns.ts';
import { chunksOf, connect } from './duckdb.ts';
import { ident } from './sql.ts';
import { segmentRelation, segments, type LocalPart } from './segments.ts';
import type { Column, RowRange } from './types.ts';

/** Rows of a record batch, at least, where there are as many. */
const BATCH_ROWS = 65_536;

/** The Arrow schema of columns. @throws COLUMN_INVALID for types Arrow tables of this kind cannot carry */
export const arrowSchema = (columns: Column[]): Schema => new Schema(columns.map((column) => arrowField(column)));

/** Record batches of a range of rows, values exactly as stored. */
export async function* arrowBatches(
  columns: Column[],
  parts: LocalPart[],
  range: RowRange = {},
  allColumns = columns,
): AsyncGenerator<RecordBatch> {
  const schema = arrowSchema(columns);
  const struct = new Struct(schema.fields);
  const select = columns.map((column) => ident(column.name)).join(', ');
  const connection = await connect();
  let chunks: DuckDBDataChunk[] = [];
  let rows = 0;
  const batch = (): RecordBatch => {
    const children = schema.fields.map((field, j) => columnData(field.type, chunks, rows, j, columns[j]!));
    const built = new RecordBatch(schema, makeData({ type: struct, length: rows, nullCount: 0, children }));
    chunks = [];
    rows = 0;
    return built;
  };
  try {
    for (const piece of segments(parts, range)) {
      const result = await connection.stream(`SELECT ${select} FROM ${segmentRelation(piece, allColumns)}`);
      for await (const chunk of chunksOf(result)) {
        chunks.push(chunk);
        rows += chunk.rowCount;
        if (rows >= BATCH_ROWS) yield batch();
      }
    }
    if (rows > 0) yield batch();
  } finally {
    connection.close();
  }
}

/** One column of some chunks. */
function columnData(type: DataType, chunks: DuckDBDataChunk[], rows: number, j: number, column: Column): Data {
  if (!isPlain(type) || !(type.ArrayType as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT) {
    const values: DuckDBValue[] = [];
    for (const chunk of chunks) for (const value of chunk.getColumnValues(j)) values.push(value);
    return arrowData(type, values, column);
  }
  // Numbers lie in DuckDB as they lie in Arrow.
  const data = new (type.ArrayType as Float64ArrayConstructor)(rows);
  const nullBitmap = new Uint8Array(Math.ceil(rows / 64) * 8).fill(255);
  let nullCount = 0;
  let at = 0;
  for (const chunk of chunks) {
    const { items, validity } = chunk.getColumnVector(j) as unknown as NumberVector;
    data.set(items, at);
    if (validity.data !== null)
      for (let i = 0; i < items.length; i++)
        if (!validity.itemValid(i)) {
          nullBitmap[(at + i) >> 3]! &= ~(1 << ((at + i) & 7));
          nullCount++;
        }
    at += items.length;
  }
  return makeData({ type, data, length: rows, nullCount, nullBitmap: nullCount > 0 ? nullBitmap : undefined } as never);
}

/** What the package's vectors of numbers hold; it is not part of their types. */
interface NumberVector {
  items: Float64Array;
  validity: { data: BigUint64Array | null; itemValid(i: number): boolean };
}

/** Columns as an Apache Arrow table, exactly as stored. @throws COLUMN_NOT_FOUND, COLUMN_INVALID */
export async function readArrow(
  columns: Column[],
  parts: LocalPart[],
  wanted: readonly string[] | undefined,
  range: RowRange = {},
): Promise<ArrowTable> {
  const picked = wanted === undefined ? columns : pickColumns(columns, wanted, 'Arrow table of a dataset');
  const batches: RecordBatch[] = [];
  for await (const batch of arrowBatches(picked, parts, range, columns)) batches.push(batch);
  return new ArrowTable(arrowSchema(picked), batches);
}

import { pickColumns } from './columns.ts';
import { chunksOf, withConnection } from './duckdb.ts';
import { ident } from './sql.ts';
import { segmentRelation, segments, type LocalPart, type Segment } from './segments.ts';
import type { Column, ColumnData, RowRange, Table } from './types.ts';
import { asDouble, memoryKind, requireMemoryKind } from './values.ts';
import { readVectors } from './vectors.ts';

/** A chunk holds 2048 cells of every column read: more columns than this would take hundreds of megabytes. */
const COLUMNS_AT_ONCE = 2048;

/** Codes in order of first appearance, sorted at the end. */
interface Collecting {
  codes: Int32Array;
  seen: Map<string, number>;
}

/** Columns in memory with their logical values. */
export async function readTable(
  columns: Column[],
  parts: LocalPart[],
  wanted: readonly string[] | undefined,
  range: RowRange = {},
): Promise<Table> {
  const picked =
    wanted === undefined
      ? columns.filter((column) => memoryKind(column) !== undefined)
      : pickColumns(columns, wanted, 'Table of a dataset');
  requireMemoryKind(picked);
  const pieces = segments(parts, range);
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
  const lists = picked.filter(({ type }) => type === 'vector');
  const single = picked.filter(({ type }) => type !== 'vector');
  const table: Table = { rows, columns: await readSingle(single, columns, pieces, rows) };
  for (const column of lists) (table.vectors ??= {})[column.name] = await readVectors(column, columns, pieces, rows);
  return table;
}

/** Columns of one value a row. */
async function readSingle(
  picked: Column[],
  columns: Column[],
  pieces: Segment[],
  rows: number,
): Promise<Record<string, ColumnData>> {
  if (picked.length === 0) return {};
  const targets = picked.map((column) =>
    memoryKind(column) === 'numeric'
      ? new Float64Array(rows)
      : { codes: new Int32Array(rows), seen: new Map<string, number>() },
  );
  const select = picked.map((column) =>
    memoryKind(column) === 'numeric'
      ? `coalesce(${asDouble(column)}, 'nan'::DOUBLE)`
      : `${ident(column.name)}::VARCHAR`,
  );
  await withConnection(async (connection) => {
    for (let from = 0; from < select.length; from += COLUMNS_AT_ONCE) {
      const group = select.slice(from, from + COLUMNS_AT_ONCE).join(', ');
      let row = 0;
      for (const piece of pieces) {
        const result = await connection.stream(`SELECT ${group} FROM ${segmentRelation(piece, columns)}`);
        for await (const chunk of chunksOf(result)) {
          for (let j = 0; j < chunk.columnCount; j++) {
            const target = targets[from + j]!;
            if (target instanceof Float64Array) target.set(doubles(chunk.getColumnVector(j)), row);
            else collect(target, chunk.getColumnValues(j) as (string | null)[], row);
          }
          row += chunk.rowCount;
        }
      }
    }
  });
  const named = picked.map((column, j): [string, ColumnData] => {
    const target = targets[j]!;
    return [column.name, target instanceof Float64Array ? { kind: 'numeric', values: target } : sorted(target)];
  });
  return Object.fromEntries(named);
}

const doubles = (vector: unknown): Float64Array => (vector as { items: Float64Array }).items;

function collect({ codes, seen }: Collecting, values: (string | null)[], row: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) codes[row + i] = -1;
    else {
      let code = seen.get(value);
      if (code === undefined) seen.set(value, (code = seen.size));
      codes[row + i] = code;
    }
  }
}

/** Texts as codes into their sorted names, −1 where missing. */
export function categoryData(values: (string | null)[]): ColumnData {
  const target: Collecting = { codes: new Int32Array(values.length), seen: new Map() };
  collect(target, values, 0);
  return sorted(target);
}

/** Sorting makes the codes independent of the order of the rows. */
function sorted({ codes, seen }: Collecting): ColumnData {
  const categories = [...seen.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const moved = new Int32Array(categories.length);
  categories.forEach((category, code) => (moved[seen.get(category)!] = code));
  for (let i = 0; i < codes.length; i++) if (codes[i]! >= 0) codes[i] = moved[codes[i]!]!;
  return { kind: 'category', codes, categories };
}

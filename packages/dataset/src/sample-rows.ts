import type { ColumnData, DatasetReader, Table, VectorData } from './types.ts';

const WINDOWS = 100;

/**
 * At most `count` rows in order, read as evenly spaced windows, so that a sorted table is covered and a large one is not
 * read whole. The same windows of tables with the same rows are the same rows.
 */
export async function sampleRows(reader: DatasetReader, columns: string[], count: number): Promise<Table> {
  if (reader.rows <= count) return reader.table(columns);
  const size = Math.max(1, Math.floor(count / WINDOWS));
  const windows = Math.floor(count / size);
  const tables: Table[] = [];
  for (let w = 0; w < windows; w++)
    tables.push(
      await reader.table(columns, {
        offset: Math.floor((w * (reader.rows - size)) / Math.max(1, windows - 1)),
        limit: size,
      }),
    );
  return concatTables(tables);
}

/** Tables of the same columns, one after the other. */
export function concatTables(tables: readonly Table[]): Table {
  const names = Object.keys(tables[0]?.columns ?? {});
  const lists = Object.keys(tables[0]?.vectors ?? {});
  return {
    rows: tables.reduce((sum, table) => sum + table.rows, 0),
    columns: Object.fromEntries(names.map((name) => [name, concatenate(tables.map((table) => table.columns[name]!))])),
    ...(lists.length > 0
      ? {
          vectors: Object.fromEntries(
            lists.map((name) => [name, concatenateVectors(tables.map((table) => table.vectors![name]!))]),
          ),
        }
      : {}),
  };
}

function concatenateVectors(pieces: VectorData[]): VectorData {
  const total = pieces.reduce((sum, { values }) => sum + values.length, 0);
  const values = pieces[0]!.values instanceof Float32Array ? new Float32Array(total) : new Float64Array(total);
  let at = 0;
  for (const piece of pieces) {
    values.set(piece.values, at);
    at += piece.values.length;
  }
  return { values, length: pieces[0]!.length };
}

function concatenate(pieces: ColumnData[]): ColumnData {
  if (pieces.every((piece) => piece.kind === 'numeric')) {
    const values = new Float64Array(pieces.reduce((sum, piece) => sum + piece.values.length, 0));
    let at = 0;
    for (const piece of pieces) {
      values.set(piece.values, at);
      at += piece.values.length;
    }
    return { kind: 'numeric', values };
  }
  const codes: number[] = [];
  const categories = new Map<string, number>();
  for (const piece of pieces) {
    if (piece.kind !== 'category') continue;
    const translate = piece.categories.map((category) => {
      if (!categories.has(category)) categories.set(category, categories.size);
      return categories.get(category)!;
    });
    for (const code of piece.codes) codes.push(code < 0 ? -1 : translate[code]!);
  }
  return { kind: 'category', codes: Int32Array.from(codes), categories: [...categories.keys()] };
}

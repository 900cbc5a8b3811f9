import { HourglassError } from '@hourglass/core';
import { ident, parquetScan } from './sql.ts';
import type { RowRange } from './types.ts';

export interface LocalPart {
  key: string;
  rows: number;
  path: string;
}

/** A run of rows read by one scan. */
export interface Segment {
  paths: string[];
  rows: number;
  /** Rows within the one file, unless whole files are read. */
  window?: { from: number; to: number };
}

/** Cuts a range of rows into scans: whole parts together, pieces of parts alone. */
export function segments(parts: LocalPart[], range: RowRange = {}): Segment[] {
  const chosen = range.part === undefined ? parts : parts.filter((part) => part.key === range.part);
  if (range.part !== undefined && chosen.length === 0)
    throw new HourglassError(
      'CALL_INVALID',
      `Dataset: no part "${range.part}". The parts are ${parts
        .slice(0, 10)
        .map((part) => `"${part.key}"`)
        .join(', ')}${parts.length > 10 ? `, … (${parts.length})` : ''}.`,
    );
  const first = range.offset ?? 0;
  const end = range.limit === undefined ? Infinity : first + range.limit;
  const result: Segment[] = [];
  let at = 0;
  for (const part of chosen) {
    const from = Math.max(0, first - at);
    const to = Math.min(part.rows, end - at);
    at += part.rows;
    if (to <= from) continue;
    const last = result.at(-1);
    if (from > 0 || to < part.rows) result.push({ paths: [part.path], rows: to - from, window: { from, to } });
    else if (last !== undefined && last.window === undefined) {
      last.paths.push(part.path);
      last.rows += part.rows;
    } else result.push({ paths: [part.path], rows: part.rows });
  }
  return result;
}

/** Whether a column has the name by which DuckDB gives the row numbers of a Parquet file: they are out of reach then. */
export const hidesRowNumbers = (columns: readonly { name: string }[]): boolean =>
  columns.some((column) => column.name.toLowerCase() === 'file_row_number');

/** The relation of a segment. Row numbers let Parquet skip row groups, unless a column takes that name. */
export function segmentRelation(segment: Segment, columns: { name: string }[]): string {
  const scan = parquetScan(segment.paths);
  if (segment.window === undefined) return scan;
  const { from, to } = segment.window;
  if (hidesRowNumbers(columns)) return `(SELECT * FROM ${scan} LIMIT ${to - from} OFFSET ${from})`;
  const names = columns.map((column) => ident(column.name)).join(', ');
  return `(SELECT ${names} FROM ${scan} WHERE file_row_number >= ${from} AND file_row_number < ${to})`;
}

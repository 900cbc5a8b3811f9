import { DOUBLE, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import { HourglassError } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { ident, literal, parquetScan, text } from './sql.ts';
import type { Column, ColumnData, Table } from './types.ts';
import { fromDouble } from './values.ts';

/** Rows kept in memory before they go to a temporary file. */
const FLUSH_ROWS = 262_144;
/** Rows of a chunk of DuckDB. */
const CHUNK = 2048;

export type WriteColumn = Pick<Column, 'name' | 'physical'> & Partial<Column>;

/**
 * Appends tables to a relation of the connection, going through temporary Parquet files once there are many rows.
 *
 * @returns the relation, with the columns in their physical types, and the number of rows
 */
export async function stageTables(
  connection: Connection,
  columns: (WriteColumn & { type: Column['type'] })[],
  tables: Iterable<Table> | AsyncIterable<Table>,
  tempPath: () => Promise<string>,
  name: string,
): Promise<{ relation: string; rows: number; files: string[] }> {
  const files: string[] = [];
  let kinds: ('numeric' | 'category')[] | undefined;
  let rows = 0;
  let pending = 0;
  const spill = async (): Promise<void> => {
    const path = await tempPath();
    await connection.run(`COPY ${ident(name)} TO ${text(path)} (FORMAT parquet, COMPRESSION lz4)`);
    await connection.run(`TRUNCATE ${ident(name)}`);
    files.push(path);
    pending = 0;
  };
  for await (const table of tables) {
    const data = columns.map((column) => columnOf(table, column.name));
    if (kinds === undefined) {
      kinds = data.map(({ kind }) => kind);
      await createStage(connection, name, kinds);
    }
    data.forEach(({ kind }, j) => {
      if (kind !== kinds![j])
        throw new HourglassError(
          'CALL_INVALID',
          `Column "${columns[j]!.name}": expected ${kinds![j]} data as in the tables before, found ${kind}.`,
        );
    });
    // Files of one size, so that the boundaries of the tables leave no trace in the row groups.
    for (let from = 0, to = 0; from < table.rows; from = to) {
      if (pending === FLUSH_ROWS) await spill();
      to = Math.min(from + FLUSH_ROWS - pending, table.rows);
      await append(connection, name, data, from, to);
      pending += to - from;
    }
    rows += table.rows;
  }
  if (kinds === undefined) await createStage(connection, name, (kinds = columns.map(() => 'numeric')));
  if (files.length > 0 && pending > 0) await spill();
  const cast = columns.map((column, j) => {
    const c = `c${j}`;
    const value =
      kinds![j] === 'numeric'
        ? `CASE WHEN isnan(${c}) THEN NULL ELSE ${fromDouble(column, c)} END`
        : `CAST(${c} AS ${column.physical})`;
    return `${value} AS ${ident(column.name)}`;
  });
  const from = files.length > 0 ? parquetScan(files) : ident(name);
  return { relation: `(SELECT ${cast.join(', ')} FROM ${from})`, rows, files };
}

const createStage = (connection: Connection, name: string, kinds: string[]): Promise<void> =>
  connection.run(
    `CREATE OR REPLACE TEMP TABLE ${ident(name)} (${kinds.map((kind, j) => `c${j} ${kind === 'numeric' ? 'DOUBLE' : 'VARCHAR'}`).join(', ')})`,
  );

function columnOf(table: Table, name: string): ColumnData {
  const data = table.columns[name];
  const length = data === undefined ? undefined : data.kind === 'numeric' ? data.values.length : data.codes.length;
  if (data !== undefined && length === table.rows) return data;
  throw new HourglassError(
    'CALL_INVALID',
    data === undefined
      ? `Writing a dataset: column "${name}" is not in the table (it has ${Object.keys(table.columns).slice(0, 10).map(literal).join(', ')}).`
      : `Writing a dataset: column "${name}" has ${length} values, expected ${table.rows}.`,
  );
}

async function append(
  connection: Connection,
  name: string,
  data: ColumnData[],
  from: number,
  to: number,
): Promise<void> {
  const types = data.map(({ kind }) => (kind === 'numeric' ? DOUBLE : VARCHAR));
  const appender = await connection.raw.createAppender(name);
  for (let at = from; at < to; at += CHUNK) {
    const n = Math.min(CHUNK, to - at);
    const chunk = DuckDBDataChunk.create(types, n);
    data.forEach((column, j) => {
      const vector = chunk.getColumnVector(j);
      if (column.kind === 'numeric')
        (vector as unknown as { items: Float64Array }).items.set(column.values.subarray(at, at + n));
      else
        for (let i = 0; i < n; i++) {
          const code = column.codes[at + i]!;
          vector.setItem(i, (code < 0 ? null : column.categories[code]!) as never);
        }
      vector.flush();
    });
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

import { DuckDBDataChunk, type DuckDBType } from '@duckdb/node-api';
import type { Connection } from './duckdb.ts';
import { ident, parquetScan, text } from './sql.ts';

/** Rows kept in memory before they go to a temporary file: a multiple of DuckDB's chunk, so that boundaries leave no trace. */
const FLUSH_ROWS = 262_144;
/** Rows of a chunk of DuckDB. */
export const CHUNK_ROWS = 2048;

/** Values a row of the widest column holds. */
const widest = (columns: { physical: string }[]): number =>
  Math.max(1, ...columns.map(({ physical }) => Number(/\[(\d+)\]$/.exec(physical)?.[1] ?? 1)));

/** Rows from JavaScript on their way into a relation, in bounded memory. */
export interface Staging {
  /** Appends rows; `fill` writes rows `from` to `from + n` of the caller into the chunk (n ≤ 2 048). */
  append(rows: number, fill: (chunk: DuckDBDataChunk, from: number, n: number) => void): Promise<void>;
  /** Puts the rows in memory into a temporary file, where they are large. */
  spill(): Promise<void>;
  /** The relation of all rows appended, with the temporary files behind it. */
  finish(): Promise<{ relation: string; rows: number; files: string[] }>;
}

/** @param columns names and SQL types. @param toFile end in a file even when all rows fit, so that other connections can read it */
export async function openStaging(
  connection: Connection,
  name: string,
  columns: { name: string; physical: string }[],
  tempPath: () => Promise<string>,
  toFile = false,
): Promise<Staging> {
  const table = ident(name);
  const flushRows = Math.max(CHUNK_ROWS, Math.floor(FLUSH_ROWS / widest(columns) / CHUNK_ROWS) * CHUNK_ROWS);
  // Made anew after each file, since DuckDB keeps the memory of rows that were only deleted.
  const clear = `CREATE OR REPLACE TEMP TABLE ${table} (${columns.map((c) => `${ident(c.name)} ${c.physical}`).join(', ')})`;
  await connection.run(clear);
  const types: DuckDBType[] = (await connection.raw.run(`SELECT * FROM ${table}`)).columnTypes();
  const files: string[] = [];
  let rows = 0;
  let pending = 0;
  async function spill(): Promise<void> {
    const path = await tempPath();
    await connection.run(`COPY ${table} TO ${text(path)} (FORMAT parquet, COMPRESSION lz4)`);
    await connection.run(clear);
    files.push(path);
    pending = 0;
  }
  return {
    async append(count, fill) {
      for (let from = 0, to = 0; from < count; from = to) {
        if (pending === flushRows) await spill();
        to = Math.min(from + flushRows - pending, count);
        const appender = await connection.raw.createAppender(name);
        for (let at = from; at < to; at += CHUNK_ROWS) {
          const n = Math.min(CHUNK_ROWS, to - at);
          const chunk = DuckDBDataChunk.create(types, n);
          fill(chunk, at, n);
          for (let j = 0; j < types.length; j++) chunk.getColumnVector(j).flush();
          appender.appendDataChunk(chunk);
        }
        appender.closeSync();
        pending += to - from;
      }
      rows += count;
    },
    spill: () => (pending > 0 ? spill() : Promise.resolve()),
    async finish() {
      if (pending > 0 ? toFile || files.length > 0 : toFile && files.length === 0) await spill();
      return { relation: files.length > 0 ? parquetScan(files) : table, rows, files };
    },
  };
}

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type DuckDBResult } from '@duckdb/node-api';
import { failure } from './duckdb-error.ts';
import { text } from './sql.ts';

let instance: Promise<DuckDBInstance> | undefined;

/**
 * On one thread: sums, Parquet bytes and row order are then the same every time, and a second thread was not faster for
 * reading. Nothing is fetched: extensions are the ones inside the npm package.
 */
const settings = (): Record<string, string> => ({
  threads: '1',
  memory_limit: process.env.HOURGLASS_DUCKDB_MEMORY ?? '640MB',
  temp_directory: join(tmpdir(), `hourglass-duckdb-${process.pid}`),
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  // Would keep whole files in memory; the operating system caches them already.
  enable_external_file_cache: 'false',
});

/** One instance a process. */
function database(): Promise<DuckDBInstance> {
  instance ??= DuckDBInstance.create(':memory:', settings());
  return instance;
}

/** Work on a connection of its own, closed afterwards. */
export async function withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect();
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

/**
 * Work in a database of its own that reaches no file but those named, no network and no extension, and cannot be told
 * otherwise: for queries that people write.
 */
export async function withSandbox<T>(
  paths: readonly string[],
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const sandbox = await DuckDBInstance.create(':memory:', settings());
  try {
    const connection = wrap(await sandbox.connect());
    try {
      await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
      await connection.run(`SET allowed_paths = [${paths.map(text).join(', ')}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      return await work(connection);
    } finally {
      connection.close();
    }
  } finally {
    sandbox.closeSync();
  }
}

/** A connection of its own, to be closed. Errors of DuckDB come out as ours. */
export async function connect(): Promise<Connection> {
  const connection = wrap(await (await database()).connect());
  await connection.run(`SET TimeZone = 'UTC'`);
  return connection;
}

function wrap(raw: DuckDBConnection): Connection {
  return {
    raw,
    close: () => raw.closeSync(),
    rows: async <R>(sql: string) => {
      try {
        return (await (await raw.runAndReadAll(sql)).getRowObjectsJson()) as R[];
      } catch (error) {
        throw failure(error);
      }
    },
    run: async (sql: string) => {
      try {
        await raw.run(sql);
      } catch (error) {
        throw failure(error);
      }
    },
    stream: async (sql: string) => {
      try {
        return await raw.stream(sql);
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

export interface Connection {
  raw: DuckDBConnection;
  close(): void;
  /** All rows as JSON values: integers beyond double, decimals and dates as text. */
  rows<R = Record<string, unknown>>(sql: string): Promise<R[]>;
  run(sql: string): Promise<void>;
  stream(sql: string): Promise<DuckDBResult>;
}

/** The next chunk is fetched by DuckDB's thread while the caller works on this one. */
export async function* chunksOf(
  result: DuckDBResult,
): AsyncGenerator<NonNullable<Awaited<ReturnType<DuckDBResult['fetchChunk']>>>> {
  let next = result.fetchChunk();
  try {
    for (;;) {
      const chunk = await next.catch((error: unknown) => {
        throw failure(error);
      });
      if (chunk === null || chunk.rowCount === 0) return;
      next = result.fetchChunk();
      yield chunk;
    }
  } finally {
    await next.catch(() => undefined);
  }
}

import { HourglassError, nearNames } from '@hourglass/core';
import { listNames } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { reason } from './duckdb-error.ts';
import { text } from './sql.ts';

/** Functions whose result is not decided by the rows: their use would make equal inputs give unequal outputs. */
export const UNSTABLE: ReadonlySet<string> = new Set([
  'random', 'setseed', 'uuid', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'now', 'current_timestamp', 'get_current_timestamp', 'transaction_timestamp', 'today', 'current_date',
  'get_current_time', 'current_localtime', 'current_localtimestamp', 'txid_current', 'getenv', 'current_setting', 'nextval', 'currval', 'getvariable', 'version', 'pg_postmaster_start_time', 'localtime', 'localtimestamp', 'current_time',
  'stats', 'sleep_ms', 'write_log', 'current_query', 'current_query_id', 'current_transaction_id', 'current_connection_id', 'current_schema', 'current_schemas', 'current_database', 'current_catalog', 'in_search_path', 'current_user', 'user', 'session_user', 'current_role',
]); // prettier-ignore

export interface SqlNode {
  class?: string;
  type?: string;
  function_name?: string;
  column_names?: string[];
  [key: string]: unknown;
}

/**
 * Checks a condition a person wrote: one SQL expression over the columns, nothing that reads other data or depends on
 * the moment. @throws OPTION_INVALID, COLUMN_NOT_FOUND
 */
export async function checkExpression(
  connection: Connection,
  expression: string,
  columns: readonly string[],
  option: string,
): Promise<void> {
  const invalid = (problem: string): HourglassError =>
    new HourglassError('OPTION_INVALID', `Option ${option} (${expression}): ${problem}`, {
      details: { option, expression },
    });
  const tree = await parse(connection, `SELECT 1 FROM t WHERE (${expression}\n)`, invalid);
  if (tree.length !== 1) throw invalid('expected one condition, found several statements.');
  const known = new Set(columns.map((column) => column.toLowerCase()));
  const missing: string[] = [];
  visit(tree[0], (node) => {
    if (node.class === 'SUBQUERY' || node.type === 'SUBQUERY' || node.type === 'TABLE_FUNCTION')
      throw invalid('a subquery would read other data than this source. Join the data in a stage of its own.');
    if (node.class === 'WINDOW') throw invalid('a window function cannot decide which rows to keep.');
    if (node.class === 'FUNCTION' && UNSTABLE.has(String(node.function_name).toLowerCase()))
      throw invalid(`${node.function_name}() gives another result each time. Use a param or run.scheduledAt.`);
    if (node.class === 'COLUMN_REF') {
      const name = node.column_names?.at(-1) ?? '';
      if (!known.has((node.column_names?.[0] ?? '').toLowerCase()) && !known.has(name.toLowerCase()))
        missing.push(name);
    }
  });
  if (missing.length > 0) {
    const near = nearNames(missing[0]!, columns);
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `Option ${option} (${expression}): no column ${listNames(missing)}.${near.length > 0 ? ` Did you mean "${near[0]}"?` : ''} The columns are ${listNames(columns)}. Text is written in single quotes.`,
      { details: { missing } },
    );
  }
}

/** The statements of a query as DuckDB's parser sees them. */
export async function parse(
  connection: Connection,
  sql: string,
  invalid: (problem: string) => HourglassError,
): Promise<SqlNode[]> {
  const [row] = await connection
    .rows<{ tree: string }>(`SELECT json_serialize_sql(${text(sql)})::VARCHAR AS tree`)
    .catch((error: unknown) => {
      throw invalid(`cannot be read as SQL (${reason((error as Error).cause ?? error)}).`);
    });
  const parsed = JSON.parse(row!.tree) as { error: boolean; error_message?: string; statements?: SqlNode[] };
  if (parsed.error) throw invalid(`cannot be read as SQL: ${parsed.error_message}.`);
  return parsed.statements ?? [];
}

/** Every object of the tree. */
export function visit(value: unknown, at: (node: SqlNode) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, at);
  else if (typeof value === 'object' && value !== null) {
    at(value as SqlNode);
    for (const child of Object.values(value)) visit(child, at);
  }
}

import { HourglassError, nearNames } from '@hourglass/core';
import { listNames } from './columns.ts';
import type { Connection } from './duckdb.ts';
import { parse, UNSTABLE, visit, type SqlNode } from './expression.ts';

/** Table functions that make rows of nothing but their arguments. */
const GENERATORS = new Set(['range', 'generate_series', 'unnest', 'repeat', 'repeat_row']);

/**
 * Checks a query a person wrote: one SELECT over the tables named and what it defines itself; no files, nothing that
 * depends on the moment. @throws OPTION_INVALID
 */
export async function checkQuery(
  connection: Connection,
  sql: string,
  tables: Record<string, readonly string[]>,
  option: string,
): Promise<void> {
  const invalid = (problem: string): HourglassError =>
    new HourglassError('OPTION_INVALID', `Option ${option}: ${problem}`, { details: { option, sql } });
  const tree = await parse(connection, sql, (problem) =>
    invalid(
      /Only SELECT/.test(problem)
        ? 'expected one SELECT (WITH … SELECT, FROM …), found another statement. Files are read by data/ingest and written by data/export.'
        : problem,
    ),
  );
  if (tree.length !== 1) throw invalid(`expected one SELECT, found ${tree.length} statements.`);
  const own = new Set<string>();
  visit(tree[0], ({ cte_map: ctes }) => {
    for (const { key } of (ctes as { map?: { key: string }[] } | undefined)?.map ?? []) own.add(key.toLowerCase());
  });
  const names = Object.keys(tables);
  const columns = new Set(Object.values(tables).flatMap((of) => of.map((name) => name.toLowerCase())));
  visit(tree[0], (node) => {
    const problem = problemOf(node, { names, own, columns });
    if (problem !== undefined) throw invalid(problem);
  });
}

function problemOf(
  node: SqlNode,
  { names, own, columns }: { names: string[]; own: Set<string>; columns: Set<string> },
): string | undefined {
  if (node.type === 'SHOW_REF')
    return 'DESCRIBE, SHOW and SUMMARIZE say what there is, they give no data. Write a SELECT.';
  const sample = node.sample as { seed?: number } | null | undefined;
  if (sample && (sample.seed ?? -1) < 0)
    return 'a sample without a seed gives other rows each time. Add REPEATABLE (1), or use the option sample of data/ingest.';
  if (node.type === 'BASE_TABLE') {
    const name = String(node.table_name);
    const elsewhere = node.schema_name || node.catalog_name;
    if (
      !elsewhere &&
      (own.has(name.toLowerCase()) || names.some((known) => known.toLowerCase() === name.toLowerCase()))
    )
      return undefined;
    const near = nearNames(name, names)[0];
    return (
      `no table "${[node.catalog_name, node.schema_name, name].filter(Boolean).join('.')}"` +
      `${near === undefined ? '' : ` (did you mean "${near}"?)`}. The tables are the inputs: ${listNames(names)}. ` +
      'Files are read by data/ingest.'
    );
  }
  if (node.type === 'TABLE_FUNCTION') {
    const name = String((node.function as SqlNode | undefined)?.function_name ?? '').toLowerCase();
    if (!GENERATORS.has(name))
      return `${name}() reads other data than the inputs. Read it by data/ingest and connect the dataset.`;
  }
  if (node.class === 'FUNCTION' && UNSTABLE.has(String(node.function_name).toLowerCase()))
    return `${node.function_name}() gives another result each time. Use a param or run.scheduledAt.`;
  if (node.class === 'COLUMN_REF') {
    // CURRENT_DATE and its like are written without brackets.
    const name = String((node.column_names as string[] | undefined)?.[0]).toLowerCase();
    if (UNSTABLE.has(name) && (node.column_names as string[]).length === 1 && !columns.has(name))
      return `${name} gives another result each time. Use a param or run.scheduledAt.`;
  }
  return undefined;
}

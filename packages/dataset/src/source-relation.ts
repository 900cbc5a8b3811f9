import { basename } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { describe, listNames } from './columns.ts';
import { csvRelation, type CsvOptions } from './csv-source.ts';
import type { Connection } from './duckdb.ts';
import { reason } from './duckdb-error.ts';
import { ident, parquetScan, text } from './sql.ts';
import type { SourceFormat } from './source-format.ts';

/** A column of a source: the name in the file, and the one the database made of it (it renames duplicates). */
export interface SourceColumn {
  name: string;
  sql: string;
  physical: string;
}

/** What a set of files reads as. */
export interface SourceRelation {
  relation: string;
  columns: SourceColumn[];
}

export interface SourceRelationOptions {
  format: SourceFormat;
  csv?: CsvOptions;
}

/** Files of one format as one relation in the order of the files. @throws SOURCE_INVALID, SCHEMA_MISMATCH */
export async function sourceRelation(
  connection: Connection,
  files: string[],
  options: SourceRelationOptions,
): Promise<SourceRelation> {
  const each = await Promise.all(files.map((file) => readOne(connection, file, options)));
  const [first, ...others] = each;
  for (const [i, other] of others.entries()) requireSame(files[0]!, first!.columns, files[i + 1]!, other.columns);
  const relation =
    options.format === 'parquet'
      ? parquetScan(files)
      : `(${each.map(({ relation: one, columns }) => `SELECT ${columns.map(({ sql }) => ident(sql)).join(', ')} FROM ${one}`).join(' UNION ALL ')})`;
  return { relation, columns: first!.columns };
}

async function readOne(connection: Connection, file: string, options: SourceRelationOptions): Promise<SourceRelation> {
  try {
    if (options.format === 'csv') return await csvRelation(connection, file, options.csv);
    return { relation: parquetScan([file]), columns: await parquetColumns(connection, file) };
  } catch (error) {
    if (error instanceof HourglassError && error.message.startsWith('Source ')) throw error;
    throw new HourglassError(
      'SOURCE_INVALID',
      `Source ${file}: cannot be read as ${options.format} (${reason((error as Error).cause ?? error)}). Check or regenerate the file.`,
      { details: { path: file }, cause: error },
    );
  }
}

/** Names as the file has them; the database renames those that are equal but for case. */
async function parquetColumns(connection: Connection, file: string): Promise<SourceColumn[]> {
  const described = await describe(connection, parquetScan([file]));
  const schema = await connection.rows<{ name: string; num_children: string | null }>(
    `SELECT name, num_children::VARCHAR AS num_children FROM parquet_schema(${text(file)})`,
  );
  const names: string[] = [];
  const skip = (at: number): number => {
    let next = at + 1;
    for (let i = Number(schema[at]!.num_children ?? 0); i > 0; i--) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]!.name);
  return described.map(({ name, physical }, i) => ({ name: names[i] ?? name, sql: name, physical }));
}

function requireSame(firstFile: string, first: SourceColumn[], file: string, columns: SourceColumn[]): void {
  const before = new Map(first.map((column) => [column.name, column]));
  const now = new Map(columns.map((column) => [column.name, column]));
  const missing = [...before.keys()].filter((name) => !now.has(name));
  const extra = [...now.keys()].filter((name) => !before.has(name));
  const changed = columns.filter(({ name, physical }) => before.has(name) && before.get(name)!.physical !== physical);
  const differences = [
    missing.length > 0 ? `lacks ${listNames(missing)}` : '',
    extra.length > 0 ? `has ${listNames(extra)} besides` : '',
    changed.length > 0
      ? `has ${changed
          .slice(0, 8)
          .map((c) => `"${c.name}" as ${c.physical} instead of ${before.get(c.name)!.physical}`)
          .join(', ')}`
      : '',
    missing.length + extra.length === 0 && columns.some((column, i) => column.name !== first[i]!.name)
      ? 'has the columns in another order'
      : '',
  ].filter((part) => part !== '');
  if (differences.length > 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `Source ${file}: expected the columns of ${basename(firstFile)}, but the file ${differences.join('; ')}. Make the files equal or read them apart.`,
      { details: { file, missing, extra, changed: changed.map((column) => column.name) } },
    );
}

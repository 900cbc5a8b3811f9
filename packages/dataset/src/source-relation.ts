import { HourglassError } from '@hourglass/core';
import { stageArrow } from './arrow-source.ts';
import { describe, fitsDouble } from './columns.ts';
import { csvRelation, type CsvOptions } from './csv-source.ts';
import type { Connection } from './duckdb.ts';
import { reason } from './duckdb-error.ts';
import { hiveColumns } from './hive.ts';
import { stageIdx } from './idx-source.ts';
import { jsonLines } from './json-source.ts';
import { ident, parquetScan, pathText } from './sql.ts';
import type { ParquetCodec, SourceFormat } from './source-format.ts';
import { unifyColumns, type Unify } from './unify.ts';

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
  /** Folder below which folders called `name=value` hold partition columns; none are looked for when left out. */
  hiveRoot?: string;
  /** What reads Parquet. @default 'duckdb' */
  codec?: ParquetCodec;
  csv?: CsvOptions;
  /** idx: image file → file of its labels. */
  labels?: ReadonlyMap<string, string>;
  /** @default 'strict' */
  unify?: Unify;
  /** Where formats that DuckDB does not read are copied to first. */
  tempPath(): Promise<string>;
  /** Gets the temporary files, to be deleted by the caller. */
  tempFiles: string[];
  onNotice?: (message: string) => void;
}

/** Files of one format as one relation in the order of the files. @throws SOURCE_INVALID, SCHEMA_MISMATCH */
export async function sourceRelation(
  connection: Connection,
  files: string[],
  options: SourceRelationOptions,
): Promise<SourceRelation> {
  const { format, unify = 'strict', hiveRoot, onNotice } = options;
  const each: SourceRelation[] = [];
  for (const file of files) each.push(await readOne(connection, file, options));
  const unified = unifyColumns(
    files,
    each.map(({ columns }) => columns),
    unify,
  );
  if (unify === 'widen') await requireExact(connection, files, each, unified.columns);
  for (const notice of unified.notices.slice(0, 20)) onNotice?.(notice);
  const hive = hiveRoot === undefined ? undefined : hiveColumns(files, hiveRoot);
  // A partition column that the files hold themselves is read from there.
  const added =
    hive?.columns
      .map((column, j) => ({ ...column, j }))
      .filter(({ name }) => !unified.columns.some((column) => column.name === name)) ?? [];
  const columns = [...unified.columns, ...added.map(({ name, physical }) => ({ name, sql: name, physical }))];
  if (format === 'parquet' && options.codec !== 'parquetjs' && unify === 'strict' && added.length === 0)
    return { relation: parquetScan(files), columns };
  const one = each.map(({ relation }, i) => {
    const values = added.length > 0 ? hive!.values(i) : [];
    return `SELECT ${[unified.select(i), ...added.map(({ name, j }) => `${values[j]!} AS ${ident(name)}`)].join(', ')} FROM ${relation}`;
  });
  return { relation: `(${one.join(' UNION ALL ')})`, columns };
}

/** @throws SCHEMA_MISMATCH where integers of a file are too large for the doubles of others */
async function requireExact(
  connection: Connection,
  files: string[],
  each: SourceRelation[],
  columns: SourceColumn[],
): Promise<void> {
  for (const [i, { relation, columns: own }] of each.entries()) {
    const wide = own.filter(
      ({ name, physical }) =>
        /^U?BIGINT$/.test(physical) && columns.some((c) => c.name === name && c.physical === 'DOUBLE'),
    );
    if (wide.length === 0) continue;
    const select = wide.map(
      ({ sql }, j) => `max(${ident(sql)})::VARCHAR AS h${j}, min(${ident(sql)})::VARCHAR AS l${j}`,
    );
    const [found = {}] = await connection.rows<Record<string, string | null>>(
      `SELECT ${select.join(', ')} FROM ${relation}`,
    );
    for (const [j, { name }] of wide.entries()) {
      const large = [found[`h${j}`], found[`l${j}`]].find((value) => value && !fitsDouble(BigInt(value)));
      if (large !== undefined)
        throw new HourglassError(
          'SCHEMA_MISMATCH',
          `Source ${files[i]!}: "${name}" holds ${large}, which the DOUBLE of other files cannot hold exactly. Convert one of them, or exclude the column.`,
          { details: { file: files[i], column: name } },
        );
    }
  }
}

async function readOne(connection: Connection, file: string, options: SourceRelationOptions): Promise<SourceRelation> {
  const staged = async (stage: typeof stageArrow): Promise<SourceRelation> => {
    const { relation, files, columns } = await stage(connection, file, options.tempPath);
    options.tempFiles.push(...files);
    return { relation, columns: columns.map(({ name, physical }) => ({ name, sql: name, physical })) };
  };
  try {
    switch (options.format) {
      case 'csv':
        return await csvRelation(connection, file, options.csv);
      case 'jsonl':
        return await jsonLines(connection, file);
      case 'arrow':
        return await staged(stageArrow);
      case 'idx':
        return await staged((...given) => stageIdx(...given, options.labels?.get(file)));
      case 'parquet':
        if (options.codec === 'parquetjs') return await staged((await import('./parquetjs/read.ts')).stageParquetjs);
        return { relation: parquetScan([file]), columns: await parquetColumns(connection, file) };
    }
  } catch (error) {
    if (error instanceof HourglassError && /^(Source|Column) /.test(error.message)) throw error;
    const cause = (error as Error).cause ?? error;
    throw new HourglassError(
      'SOURCE_INVALID',
      `Source ${file}: cannot be read as ${NAMES[options.format]}${options.codec === 'parquetjs' ? ' by codec parquetjs' : ''} (${reason(cause)}). Check or regenerate the file${options.codec === 'parquetjs' ? ', or leave `codec` out' : ''}.`,
      { details: { path: file }, cause: error },
    );
  }
}

const NAMES: Record<SourceFormat, string> = {
  parquet: 'Parquet',
  csv: 'CSV',
  arrow: 'Arrow IPC',
  jsonl: 'JSON lines',
  idx: 'idx',
};

/** Names as the file has them; the database renames those that are equal but for case. */
async function parquetColumns(connection: Connection, file: string): Promise<SourceColumn[]> {
  const described = await describe(connection, parquetScan([file]));
  const schema = await connection.rows<{ name: string; num_children: string | null }>(
    `SELECT name, num_children::VARCHAR AS num_children FROM parquet_schema(${pathText(file)})`,
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

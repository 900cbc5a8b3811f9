import { rm } from 'node:fs/promises';
import { listSourceFiles, type ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { freshName, listNames, pickColumns } from './columns.ts';
import type { Contract } from './contract.ts';
import type { CsvOptions } from './csv-source.ts';
import { chunksOf, connect, withConnection, type Connection } from './duckdb.ts';
import { reason } from './duckdb-error.ts';
import { checkExpression } from './expression.ts';
import { pairLabels } from './idx-source.ts';
import { quarantineRows } from './quarantine.ts';
import { countRows, storeRows } from './store-rows.ts';
import { sampleCondition, type Sample } from './sampling.ts';
import { checkFile, formatOf, isDataFile, type ParquetCodec, type SourceFormat } from './source-format.ts';
import {
  sourceRelation,
  type SourceColumn,
  type SourceRelation,
  type SourceRelationOptions,
} from './source-relation.ts';
import { ident } from './sql.ts';
import type { Unify } from './unify.ts';
import { refuseCaseTwins, writeParquet } from './write-parquet.ts';

export interface IngestOptions {
  /** File, folder or glob; absolute, or relative to the current folder. */
  uri: string;
  /** @default by the files' names, else by their first bytes */
  format?: SourceFormat;
  /** What reads Parquet. @default 'duckdb' */
  codec?: ParquetCodec;
  csv?: CsvOptions;
  /** How files with differing columns are read together. @default 'strict' */
  unify?: Unify;
  /** Whether folders called `name=value` become columns. @default true */
  hive?: boolean;
  /** Columns to keep, in this order. @default all */
  columns?: string[];
  exclude?: string[];
  /** A condition in SQL over the source's columns. */
  where?: string;
  sample?: Sample;
  partitionBy?: string[];
  /** Decides the sample. @default 0 */
  seed?: number;
  /** Told what a person should know, such as a column that was widened. */
  onNotice?: (message: string) => void;
}

/**
 * Copies a source into the store as a dataset: rows in the order of the files (sorted by name), values and types as
 * they are. Memory stays bounded however large the source is.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_INVALID, SOURCE_EMPTY, SCHEMA_MISMATCH, COLUMN_NOT_FOUND, COLUMN_INVALID, OPTION_INVALID
 */
export async function ingest(store: ArtifactStore, options: IngestOptions): Promise<ArtifactRef> {
  return withCopy(store, options, (connection, path) => storeRows(connection, store, path, options.partitionBy));
}

/** The rows kept, and those that broke a rule with the rules they broke. */
export interface Quarantined {
  data: ArtifactRef;
  /** Source row (1-based) in `_row`, rules in `_broken`; without rows when all were kept. */
  quarantined: ArtifactRef;
  /** Rows that broke each rule. */
  broken: Record<string, number>;
}

/**
 * The same, setting aside the rows that break the contract instead of failing.
 *
 * @throws CONTRACT_VIOLATED when a rule about the whole is broken or more than `limit` (a share of the rows) are set aside
 */
export async function ingestWithQuarantine(
  store: ArtifactStore,
  options: IngestOptions & { contract: Contract; limit: number },
): Promise<Quarantined> {
  return withCopy(store, options, async (connection, path) => {
    const { kept, quarantined, broken } = await quarantineRows(
      connection,
      store,
      path,
      options.contract,
      options.limit,
      `Contract of ${options.uri}`,
    );
    try {
      return { data: await storeRows(connection, store, kept, options.partitionBy), quarantined, broken };
    } finally {
      await rm(kept, { force: true });
    }
  });
}

/** Copies the rows asked for into one temporary Parquet file. */
async function withCopy<T>(
  store: ArtifactStore,
  options: IngestOptions,
  then: (connection: Connection, path: string) => Promise<T>,
): Promise<T> {
  const { files, format, hiveRoot, labels } = await sourceFiles(options);
  const tempFiles: string[] = [];
  const reading: SourceRelationOptions = {
    format,
    codec: options.codec,
    csv: options.csv,
    labels,
    unify: options.unify,
    hiveRoot: options.hive === false ? undefined : hiveRoot,
    tempPath: () => store.tempPath('.parquet'),
    tempFiles,
    onNotice: options.onNotice,
  };
  return withConnection(async (connection) => {
    const path = await store.tempPath('.parquet');
    try {
      const source = await sourceRelation(connection, files, reading);
      const relation = await selected(connection, source, options);
      await writeParquet(connection, relation, path, `Source ${options.uri}`).catch(async (error: unknown) => {
        throw await culprit(files, reading, error);
      });
      await requireRows(connection, path, source, options);
      return await then(connection, path);
    } finally {
      await Promise.all([path, ...tempFiles].map((file) => rm(file, { force: true })));
    }
  });
}

/** The files of a source, checked one by one, and their format. */
async function sourceFiles(
  options: IngestOptions,
): Promise<{ files: string[]; format: SourceFormat; hiveRoot?: string; labels?: Map<string, string> }> {
  const listed = await listSourceFiles(options.uri);
  const files = listed.kind === 'folder' ? listed.files.filter(isDataFile) : listed.files;
  if (files.length === 0)
    throw new HourglassError(
      'SOURCE_NOT_FOUND',
      `Source ${options.uri}: the folder holds no data files (names that begin with "." or "_" are passed over).`,
    );
  const formats = await Promise.all(files.map(async (file) => options.format ?? (await formatOf(file))));
  const other = formats.findIndex((format) => format !== formats[0]);
  if (other > 0)
    throw new HourglassError(
      'SOURCE_INVALID',
      `Source ${options.uri}: expected files of one format, found ${files[0]} (${formats[0]}) and ${files[other]} (${formats[other]}). Name the files by a glob such as *.${formats[0]}.`,
    );
  for (const file of files) await checkFile(file, formats[0]!);
  const hiveRoot = listed.kind === 'file' ? undefined : listed.root;
  if (formats[0] !== 'idx') return { files, format: formats[0]!, hiveRoot };
  const labels = pairLabels(files);
  const second = new Set(labels.values());
  return { files: files.filter((file) => !second.has(file)), format: 'idx', hiveRoot, labels };
}

/** The source with only the columns and rows asked for. */
async function selected(connection: Connection, source: SourceRelation, options: IngestOptions): Promise<string> {
  const where = `Source ${options.uri}`;
  const chosen = choose(source.columns, options, where);
  if (chosen.length === 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: no column is left after \`columns\` and \`exclude\`. Keep at least one.`,
    );
  refuseCaseTwins(
    chosen.map((column) => column.name),
    where,
  );
  let relation = source.relation;
  if (options.where !== undefined) {
    await checkExpression(
      connection,
      options.where,
      source.columns.map((column) => column.name),
      'where',
    );
    relation = `(SELECT * FROM ${relation} WHERE (${options.where}\n))`;
    await connection.run(`EXPLAIN SELECT * FROM ${relation}`).catch((error: unknown) => {
      throw new HourglassError(
        'OPTION_INVALID',
        `Option where (${options.where}): ${reason((error as Error).cause ?? error)}`,
        { cause: error },
      );
    });
  }
  const columns = chosen
    .map(({ name, sql }) => (name === sql ? ident(sql) : `${ident(sql)} AS ${ident(name)}`))
    .join(', ');
  if (options.sample === undefined) return `(SELECT ${columns} FROM ${relation})`;
  const [count] = await connection.rows<{ n: string }>(`SELECT count(*)::VARCHAR AS n FROM ${relation}`);
  const row = freshName([...source.columns, ...source.columns.map(({ sql }) => ({ name: sql }))], 'row');
  const keep = await sampleCondition(connection, options.sample, options.seed ?? 0, Number(count!.n), ident(row));
  return `(SELECT ${columns} FROM (SELECT *, row_number() OVER () - 1 AS ${ident(row)} FROM ${relation}) WHERE ${keep})`;
}

/** @throws COLUMN_NOT_FOUND, COLUMN_INVALID (a name the source holds twice) */
function choose(
  columns: SourceColumn[],
  { columns: wanted, exclude = [] }: IngestOptions,
  where: string,
): SourceColumn[] {
  pickColumns(columns, [...(wanted ?? []), ...exclude], where);
  const left = columns.filter((column) => !exclude.includes(column.name));
  const chosen =
    wanted === undefined
      ? left
      : wanted
          .filter((name) => !exclude.includes(name))
          .flatMap((name) => left.filter((column) => column.name === name));
  const again = wanted?.find((name, i) => wanted.indexOf(name) !== i);
  if (again !== undefined)
    throw new HourglassError('OPTION_INVALID', `${where}: option columns names "${again}" twice.`);
  return chosen;
}

async function requireRows(
  connection: Connection,
  path: string,
  source: SourceRelation,
  { uri, where, sample }: IngestOptions,
): Promise<void> {
  if ((await countRows(connection, path)) > 0) return;
  const [count] =
    where === undefined && sample === undefined
      ? [{ n: '0' }]
      : await connection.rows<{ n: string }>(`SELECT count(*)::VARCHAR AS n FROM ${source.relation}`);
  throw new HourglassError(
    'SOURCE_EMPTY',
    count!.n === '0'
      ? `Source ${uri}: holds no rows (it has the columns ${listNames(source.columns.map((column) => column.name))}). Provide data.`
      : `Source ${uri}: none of its ${count!.n} rows is left after ${where === undefined ? 'sampling' : `where (${where})`}. Relax the filter.`,
  );
}

/** Which of the files could not be read, when copying failed. */
async function culprit(files: string[], options: SourceRelationOptions, error: unknown): Promise<unknown> {
  if (!(error instanceof HourglassError) || error.code !== 'SOURCE_INVALID') return error;
  const connection = await connect();
  try {
    for (const file of files) {
      const { relation } = await sourceRelation(connection, [file], { ...options, onNotice: undefined });
      try {
        for await (const _ of chunksOf(await connection.stream(`SELECT * FROM ${relation}`)));
      } catch (inner) {
        return new HourglassError(
          'SOURCE_INVALID',
          `Source ${file}: the file is damaged (${reason((inner as Error).cause ?? inner)}). Copy or write it again.`,
          { details: { path: file }, cause: inner },
        );
      }
    }
  } finally {
    connection.close();
  }
  // Every file can be read, so it is the condition or a conversion that failed.
  return new HourglassError('SOURCE_INVALID', error.message, { details: error.details, cause: error.cause });
}

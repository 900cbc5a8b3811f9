import { HourglassError } from '@hourglass/core';
import { reason } from './duckdb-error.ts';
import type { Connection } from './duckdb.ts';
import type { SourceRelation } from './source-relation.ts';
import { ident, pathText, text } from './sql.ts';
import { textEncoding } from './text-encoding.ts';

export interface CsvOptions {
  /** @default found out */
  delimiter?: string;
  /** @default found out */
  header?: boolean;
  /** Texts that mean "missing". @default [''] */
  missing?: string[];
  /** @default 'utf-8' */
  encoding?: 'utf-8' | 'utf-16' | 'latin-1';
  /** Mark before the fractions of numbers. @default '.' */
  decimal?: '.' | ',';
  /** Physical types of columns, instead of finding them out: `{ zip: VARCHAR }`. */
  types?: Record<string, string>;
}

interface Dialect {
  Delimiter: string;
  Quote: string;
  Escape: string;
  SkipRows: string;
  HasHeader: boolean;
  Columns: { name: string; type: string }[];
}

/**
 * A CSV file with the dialect and types that fit all of its rows. Numbers too large for a double stay exact; digits
 * with leading zeros stay text.
 */
export async function csvRelation(
  connection: Connection,
  file: string,
  options: CsvOptions = {},
): Promise<SourceRelation> {
  await requireTypes(connection, options.types ?? {});
  const reading = [
    options.encoding === undefined ? '' : `encoding = ${text(options.encoding)}`,
    options.decimal === undefined ? '' : `decimal_separator = ${text(options.decimal)}`,
    options.missing === undefined ? '' : `nullstr = [${options.missing.map(text).join(', ')}]`,
  ].filter((part) => part !== '');
  const given = [
    'sample_size = -1',
    options.delimiter === undefined ? '' : `delim = ${text(options.delimiter)}`,
    options.header === undefined ? '' : `header = ${options.header}`,
    ...reading,
  ].filter((part) => part !== '');
  const [dialect] = await connection
    .rows<Dialect>(`SELECT * FROM sniff_csv(${pathText(file)}, ${given.join(', ')})`)
    .catch(async (error: unknown) => {
      throw (await wronglyEncoded(file, options)) ?? unreadable(file, error);
    });
  const { Delimiter, Quote, Escape, SkipRows, HasHeader, Columns } = dialect!;
  refuseDoubtful(file, dialect!, options);
  const none = (value: string): string => (value === '(empty)' ? '' : value);
  const settings = [
    'auto_detect = false',
    `delim = ${text(none(Delimiter))}`,
    `quote = ${text(none(Quote))}`,
    `escape = ${text(none(Escape))}`,
    `skip = ${SkipRows}`,
    ...reading,
  ].join(', ');
  const scan = (types: string[], header = HasHeader): string =>
    `read_csv(${pathText(file)}, ${settings}, hive_partitioning = false, header = ${header}, columns = {${Columns.map((c, i) => `${text(c.name)}: ${text(types[i]!)}`).join(', ')}})`;

  const names = HasHeader
    ? await headerOf(
        connection,
        scan(
          Columns.map(() => 'VARCHAR'),
          false,
        ),
        Columns,
      )
    : Columns.map((c) => c.name);
  const wide = await exactTypes(connection, scan(Columns.map(() => 'VARCHAR')), Columns);
  const types = Columns.map((c, i) => options.types?.[names[i]!] ?? wide.get(c.name) ?? c.type);
  const columns = Columns.map((c, i) => ({ name: names[i]!, sql: c.name, physical: types[i]! }));
  return { relation: scan(types), columns };
}

/** @throws OPTION_INVALID naming the columns whose types are none */
async function requireTypes(connection: Connection, types: Record<string, string>): Promise<void> {
  for (const [name, type] of Object.entries(types))
    await connection.rows(`SELECT CAST(NULL AS ${type})`).catch((error: unknown) => {
      throw new HourglassError(
        'OPTION_INVALID',
        `Column "${name}": csv.types: expected a physical type such as VARCHAR, DOUBLE, BIGINT, DATE or DECIMAL(10,2), found "${type}" (${reason((error as Error).cause ?? error).split('\n')[0]}).`,
        { details: { column: name, type }, cause: error },
      );
    });
}

/** The header as written: the database renames duplicates and names empty ones. */
async function headerOf(connection: Connection, scan: string, columns: Dialect['Columns']): Promise<string[]> {
  const [header] = await connection.rows<Record<string, string | null>>(`SELECT * FROM ${scan} LIMIT 1`);
  return columns.map(({ name }) => {
    const written = header?.[name]?.trim();
    return written === undefined || written === '' ? name : written;
  });
}

/** Columns that the types found would mangle: whole numbers beyond double, points in time with a zone here and there. */
async function exactTypes(
  connection: Connection,
  scan: string,
  columns: Dialect['Columns'],
): Promise<Map<string, string>> {
  const doubtful = columns.filter(({ type }) => type === 'DOUBLE' || type === 'TIMESTAMP WITH TIME ZONE');
  if (doubtful.length === 0) return new Map();
  const checks = doubtful.map(({ name, type }, i) =>
    type === 'DOUBLE'
      ? `bool_and(regexp_full_match(trim(${ident(name)}), '[+-]?[0-9]+')) AS a${i}, bool_and(try_cast(${ident(name)} AS DECIMAL(38, 0)) IS NOT NULL OR ${ident(name)} IS NULL) AS b${i}`
      : `NOT bool_and(regexp_matches(trim(${ident(name)}), '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')) AS a${i}, false AS b${i}`,
  );
  const [found = {}] = await connection.rows<Record<string, boolean | null>>(
    `SELECT ${checks.join(', ')} FROM ${scan}`,
  );
  return new Map(
    doubtful.flatMap(({ name }, i) =>
      found[`a${i}`] === true ? [[name, found[`b${i}`] === true ? 'DECIMAL(38,0)' : 'VARCHAR'] as const] : [],
    ),
  );
}

/** Where no dialect fits all rows, the database skips lines or takes each line for one value: neither is what was meant. */
function refuseDoubtful(file: string, { SkipRows, Columns }: Dialect, options: CsvOptions): void {
  if (Number(SkipRows) > 0)
    throw unreadable(file, new Error(`the first ${SkipRows} lines have other columns than the rest`));
  const [only] = Columns;
  if (options.delimiter === undefined && Columns.length === 1 && /[,;\t|]/.test(only!.name))
    throw unreadable(
      file,
      new Error(`the header ${JSON.stringify(only!.name.slice(0, 80))} has separators that the rows do not have alike`),
    );
}

/** What is wrong with a file that is not encoded as it is read; undefined when that is not the cause. */
async function wronglyEncoded(file: string, { encoding = 'utf-8' }: CsvOptions): Promise<HourglassError | undefined> {
  const found = await textEncoding(file);
  if (encoding === 'latin-1' || (found === 'unknown' ? 'latin-1' : found) === encoding) return undefined;
  return new HourglassError(
    'SOURCE_INVALID',
    `Source ${file}: expected a text file in ${encoding.toUpperCase()}, found ${ENCODED[found]}. ` +
      `Set \`csv.encoding\` to ${found === 'unknown' ? 'latin-1, if that is what wrote it' : found}, or save the file as UTF-8.`,
    { details: { path: file, encoding, found } },
  );
}

const ENCODED = {
  'utf-8': 'UTF-8',
  'utf-16': 'the byte order mark of UTF-16',
  unknown: 'bytes that UTF-8 has not',
};

function unreadable(file: string, error: unknown): HourglassError {
  const cause = error instanceof HourglassError ? (error.cause ?? error) : error;
  return new HourglassError(
    'SOURCE_INVALID',
    `Source ${file}: no delimiter, quoting and number of columns fits all rows of the CSV file (${reason(cause).split('\n')[0]}). Set \`csv.delimiter\`, or correct the file.`,
    { details: { path: file }, cause: error },
  );
}

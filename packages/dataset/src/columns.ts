import { HourglassError, nearNames } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { ident } from './sql.ts';
import type { Column, ColumnType } from './types.ts';

/** Largest integer magnitude that a double holds exactly. */
const EXACT = 2n ** 53n;

const BY_NAME: Record<string, ColumnType> = {
  FLOAT: 'float',
  DOUBLE: 'float',
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  BIGINT: 'bigint',
  UBIGINT: 'bigint',
  HUGEINT: 'bigint',
  UHUGEINT: 'bigint',
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
  UUID: 'string',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  TIME: 'time',
};

/** Types Parquet has no exact place for, with the reason; `writeParquet` refuses them by name. */
export function unstorable(physical: string): string | undefined {
  if (/\bUNION\(/.test(physical)) return 'a union would be stored as a structure';
  if (/\b(BIT|BIGNUM|VARIANT)\b/.test(physical)) return 'it would be stored as another type';
  if (/\bU?HUGEINT\b/.test(physical) && !/^U?HUGEINT$/.test(physical))
    return '128-bit integers would be rounded to doubles';
  return undefined;
}

/** A numeric list, whose lengths decide whether it is a vector. */
export const isNumberList = (physical: string): boolean =>
  /^(FLOAT|DOUBLE|U?(TINY|SMALL|BIG)?INT(EGER)?|INTEGER|UINTEGER)\[\d*\]$/.test(physical);

const scaleOf = (physical: string): { precision: number; scale: number } | undefined => {
  const match = /^DECIMAL\((\d+),(\d+)\)$/.exec(physical);
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : undefined;
};

/** Names and physical types of a relation, in order. */
export async function describe(
  connection: Connection,
  relation: string,
): Promise<{ name: string; physical: string }[]> {
  const rows = await connection.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM ${relation}`,
  );
  return rows.map((row) => ({ name: row.column_name, physical: row.column_type.replaceAll('"NULL"', 'INTEGER') }));
}

/**
 * Logical columns of a relation. Integers and decimals count as numbers while every value fits a double exactly, and
 * lists of numbers as vectors while all have one length; both are looked up in the data.
 */
export async function inferColumns(connection: Connection, relation: string): Promise<Column[]> {
  const described = await describe(connection, relation);
  const columns = described.map(({ name, physical }): Column => ({ name, physical, type: typeOf(physical) }));
  const unsure = columns.filter(
    (column) => column.type === 'bigint' || column.type === 'decimal' || isNumberList(column.physical),
  );
  if (unsure.length === 0) return columns;
  const facts = unsure.flatMap(({ name, physical }, i) => {
    const c = isNumberList(physical) ? `len(${ident(name)})` : ident(name);
    const nullsInside = isNumberList(physical)
      ? `, count_if(len(list_filter(${ident(name)}::${physical.replace(/\[\d*\]/, '[]')}, lambda x: x IS NULL)) > 0) AS n${i}`
      : '';
    return [`min(${c})::VARCHAR AS a${i}, max(${c})::VARCHAR AS b${i}${nullsInside}`];
  });
  const [fact = {}] = await connection.rows<Record<string, string | null>>(
    `SELECT ${facts.join(', ')} FROM ${relation}`,
  );
  unsure.forEach((column, i) => {
    const low = fact[`a${i}`] ?? null;
    const high = fact[`b${i}`] ?? null;
    if (isNumberList(column.physical)) {
      const one = low !== null && low === high && Number(fact[`n${i}`] ?? 0) === 0 && Number(low) > 0;
      column.type = one ? 'vector' : 'other';
      if (one) column.length = Number(low);
      return;
    }
    const decimal = scaleOf(column.physical);
    if (decimal !== undefined) {
      const unscaled = (value: string | null): bigint => BigInt((value ?? '0').replace('.', ''));
      const fits = decimal.precision <= 15 || (fitsDouble(unscaled(low)) && fitsDouble(unscaled(high)));
      column.type = fits ? (decimal.scale === 0 ? 'integer' : 'float') : 'decimal';
    } else column.type = fitsDouble(BigInt(low ?? 0)) && fitsDouble(BigInt(high ?? 0)) ? 'integer' : 'bigint';
  });
  return columns;
}

/** Whether a double holds the integer exactly, and its neighbours apart. */
export const fitsDouble = (value: bigint): boolean => value <= EXACT && value >= -EXACT;

/** The logical type that the physical one alone allows; data may narrow `bigint` and `decimal`. */
export function typeOf(physical: string): ColumnType {
  if (scaleOf(physical)) return 'decimal';
  if (/^ENUM\(.*\)$/s.test(physical)) return 'string';
  return BY_NAME[physical] ?? 'other';
}

/** The columns named, in that order. @throws COLUMN_NOT_FOUND with near names, all at once */
export function pickColumns<C extends { name: string }>(columns: C[], names: readonly string[], where: string): C[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const missing = [...new Set(names.filter((name) => !byName.has(name)))];
  if (missing.length > 0) throw columnsNotFound(missing, [...byName.keys()], where);
  return names.map((name) => byName.get(name)!);
}

/** The columns asked for, in the order asked for. @throws COLUMN_NOT_FOUND, COLUMN_INVALID when none is left */
export function chooseColumns<C extends { name: string }>(
  columns: C[],
  { columns: wanted, exclude = [] }: { columns?: readonly string[]; exclude?: readonly string[] },
  where: string,
): C[] {
  pickColumns(columns, exclude, where);
  const chosen = (wanted === undefined ? columns : pickColumns(columns, wanted, where)).filter(
    ({ name }) => !exclude.includes(name),
  );
  if (chosen.length === 0)
    throw new HourglassError('COLUMN_INVALID', `${where}: no column is left after \`columns\` and \`exclude\`.`);
  return chosen;
}

function columnsNotFound(missing: string[], present: string[], where: string): HourglassError {
  const lines = missing.slice(0, 8).map((name) => {
    const near = nearNames(name, present);
    return `"${name}"${near.length > 0 ? ` (did you mean ${near.map((n) => `"${n}"`).join(' or ')}?)` : ''}`;
  });
  const rest = missing.length > 8 ? ` and ${missing.length - 8} more` : '';
  return new HourglassError(
    'COLUMN_NOT_FOUND',
    `${where}: no column ${lines.join(', ')}${rest}. The columns are ${listNames(present)}.`,
    { details: { missing, columns: present } },
  );
}

/** Names for a message, bounded however many there are. */
export const listNames = (names: readonly string[], most = 12): string =>
  names.length <= most
    ? names.map((name) => `"${name}"`).join(', ')
    : `${names
        .slice(0, most)
        .map((name) => `"${name}"`)
        .join(', ')}, … (${names.length})`;

/** A name like this one that no column has. */
export function freshName(columns: readonly { name: string }[], name: string): string {
  const taken = new Set(columns.map((column) => column.name.toLowerCase()));
  while (taken.has(name.toLowerCase())) name = `_${name}`;
  return name;
}

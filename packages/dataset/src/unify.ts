import { basename } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { listNames } from './columns.ts';
import type { SourceColumn } from './source-relation.ts';
import { ident } from './sql.ts';

/** strict: all files have the same columns. widen: columns are joined by name, their types widened without loss. */
export type Unify = 'strict' | 'widen';

/** What one file's columns become. */
export interface Unified {
  columns: SourceColumn[];
  /** SELECT list that gives a file those columns. */
  select(file: number): string;
  /** What was widened, for people. */
  notices: string[];
}

const INTEGERS = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'];
const UNSIGNED = ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT'];

/** @throws SCHEMA_MISMATCH naming the file and the difference */
export function unifyColumns(files: string[], each: SourceColumn[][], mode: Unify): Unified {
  const first = each[0]!;
  if (mode === 'strict') {
    each.forEach((columns, i) => requireSame(files[0]!, first, files[i]!, columns));
    return { columns: first, select: (i) => each[i]!.map(({ sql }) => ident(sql)).join(', '), notices: [] };
  }
  const unified = new Map<string, { column: SourceColumn; from: string }>();
  const notices: string[] = [];
  each.forEach((columns, i) => {
    for (const column of columns) {
      const known = unified.get(column.name);
      if (known === undefined) {
        if (i > 0)
          notices.push(`"${column.name}" is missing in ${basename(files[0]!)} and comes with ${basename(files[i]!)}`);
        unified.set(column.name, { column: { ...column, sql: column.name }, from: files[i]! });
        continue;
      }
      const before = known.column.physical;
      const wider = widen(before, column.physical);
      if (wider === undefined)
        throw new HourglassError(
          'SCHEMA_MISMATCH',
          `Source ${files[i]!}: "${column.name}" is ${column.physical} here and ${before} in ${basename(known.from)}, and no type holds both exactly. Convert one of them, or exclude the column.`,
          { details: { file: files[i], column: column.name } },
        );
      if (wider !== before) {
        notices.push(
          `"${column.name}" becomes ${wider}: it is ${column.physical} in ${basename(files[i]!)}, ${before} before`,
        );
        known.column = { ...known.column, physical: wider };
      }
    }
    for (const [name] of unified)
      if (i > 0 && !columns.some((column) => column.name === name))
        notices.push(`"${name}" is missing in ${basename(files[i]!)}`);
  });
  const columns = [...unified.values()].map(({ column }) => column);
  const select = (i: number): string =>
    columns
      .map(({ name, physical }) => {
        const found = each[i]!.find((column) => column.name === name);
        return `CAST(${found === undefined ? 'NULL' : ident(found.sql)} AS ${physical}) AS ${ident(name)}`;
      })
      .join(', ');
  return { columns, select, notices };
}

/** The narrowest type for the values of both, or undefined; `BIGINT` among doubles must be checked in the data. */
export function widen(a: string, b: string): string | undefined {
  if (a === b) return a;
  const pair = (x: string, y: string): boolean => (a === x && b === y) || (a === y && b === x);
  if (pair('FLOAT', 'DOUBLE')) return 'DOUBLE';
  if (pair('DATE', 'TIMESTAMP')) return 'TIMESTAMP';
  if (pair('TIMESTAMP', 'TIMESTAMP_NS')) return 'TIMESTAMP_NS';
  const [da, db] = [digits(a), digits(b)];
  if (da !== undefined && db !== undefined) {
    const scale = Math.max(da.scale, db.scale);
    const whole = Math.max(da.whole, db.whole);
    if (!a.startsWith('DECIMAL') && !b.startsWith('DECIMAL')) return widerInteger(a, b);
    return whole + scale <= 38 ? `DECIMAL(${whole + scale},${scale})` : undefined;
  }
  // Whether 64-bit integers are small enough for a double is seen in the data.
  for (const [x, y] of [
    [a, b],
    [b, a],
  ] as const)
    if ((x === 'DOUBLE' || x === 'FLOAT') && /^U?(TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(y)) return 'DOUBLE';
  return undefined;
}

function widerInteger(a: string, b: string): string | undefined {
  const signed = [a, b].filter((type) => INTEGERS.includes(type));
  if (signed.length === 2) return INTEGERS[Math.max(INTEGERS.indexOf(a), INTEGERS.indexOf(b))];
  if (signed.length === 0) return UNSIGNED[Math.max(UNSIGNED.indexOf(a), UNSIGNED.indexOf(b))];
  const unsigned = a === signed[0] ? b : a;
  return INTEGERS[Math.max(INTEGERS.indexOf(signed[0]!), UNSIGNED.indexOf(unsigned) + 1)];
}

/** Digits before and after the point that an exact number type can have. */
function digits(type: string): { whole: number; scale: number } | undefined {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal) return { whole: Number(decimal[1]) - Number(decimal[2]), scale: Number(decimal[2]) };
  const at = INTEGERS.indexOf(type) >= 0 ? INTEGERS.indexOf(type) : UNSIGNED.indexOf(type);
  return at < 0 ? undefined : { whole: [3, 5, 10, 20, 39][at]!, scale: 0 };
}

function requireSame(firstFile: string, first: SourceColumn[], file: string, columns: SourceColumn[]): void {
  const before = new Map(first.map((column) => [column.name, column]));
  const now = new Map(columns.map((column) => [column.name, column]));
  const missing = [...before.keys()].filter((name) => !now.has(name));
  const extra = [...now.keys()].filter((name) => !before.has(name));
  const changed = columns.filter(({ name, physical }) => before.has(name) && before.get(name)!.physical !== physical);
  const order = missing.length + extra.length === 0 && columns.some((column, i) => column.name !== first[i]!.name);
  const types = changed
    .slice(0, 8)
    .map((c) => `"${c.name}" as ${c.physical} instead of ${before.get(c.name)!.physical}`);
  const differences = [
    missing.length > 0 ? `lacks ${listNames(missing)}` : '',
    extra.length > 0 ? `has ${listNames(extra)} besides` : '',
    changed.length > 0 ? `has ${types.join(', ')}${changed.length > 8 ? `, … (${changed.length})` : ''}` : '',
    order ? 'has the columns in another order' : '',
  ].filter((part) => part !== '');
  if (differences.length > 0)
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `Source ${file}: expected the columns of ${basename(firstFile)}, but the file ${differences.join('; ')}. Make the files equal, or set \`unify: widen\`.`,
      { details: { file, missing, extra, changed: changed.map((column) => column.name) } },
    );
}

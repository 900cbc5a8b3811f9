import { HourglassError } from '@hourglass/core';
import { isFloat } from './column-facts.ts';
import type { Connection } from './duckdb.ts';
import { freshName, pickColumns } from './columns.ts';
import { ident } from './sql.ts';
import type { Column } from './types.ts';

/** Which rows of either side may share a key. */
export type Relationship = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

/** Columns side by side that rows are matched by. */
export interface JoinKeys {
  left: Column[];
  right: Column[];
}

/** @throws OPTION_INVALID, COLUMN_NOT_FOUND, SCHEMA_MISMATCH (types that cannot be equal) */
export function joinKeys(left: Column[], right: Column[], on: JoinOn): JoinKeys {
  const names = Array.isArray(on) ? { left: on, right: on } : on;
  if (names.left.length === 0 || names.left.length !== names.right.length)
    throw new HourglassError(
      'OPTION_INVALID',
      `Join: option on: expected as many columns on the left as on the right, at least one, found ${names.left.length} and ${names.right.length}.`,
    );
  const keys = {
    left: pickColumns(left, names.left, 'Join, left dataset'),
    right: pickColumns(right, names.right, 'Join, right dataset'),
  };
  keys.left.forEach((column, i) => {
    const other = keys.right[i]!;
    if (!comparable(column, other))
      throw new HourglassError(
        'SCHEMA_MISMATCH',
        `Join: the key "${column.name}" is ${column.physical} on the left, and "${other.name}" ${other.physical} on the right: their values cannot be equal. Convert one of them, by data/sql for example.`,
        { details: { left: column.name, right: other.name } },
      );
  });
  return keys;
}

export type JoinOn = string[] | { left: string[]; right: string[] };

const WHOLE = ['integer', 'bigint'];

/** Whether equal values compare equal: text is not turned into numbers, and large integers not into doubles. */
function comparable(a: Column, b: Column): boolean {
  if ([a, b].some(({ type }) => type === 'vector' || type === 'other')) return false;
  if (a.type === b.type || a.physical === b.physical) return true;
  if (WHOLE.includes(a.type) && WHOLE.includes(b.type)) return true;
  return [a, b].every(({ type }) => type === 'integer' || type === 'float' || type === 'decimal');
}

/** SQL that is true where every key of a row has a value; what has none matches nothing. */
export const hasKeys = (columns: Column[], table: string): string =>
  columns
    .map((column) => {
      const c = `${table}.${ident(column.name)}`;
      return `${c} IS NOT NULL${isFloat(column) ? ` AND NOT isnan(${c})` : ''}`;
    })
    .join(' AND ');

/** SQL of "the keys are equal". */
export const keysEqual = ({ left, right }: JoinKeys): string =>
  `${left.map(({ name }, i) => `l.${ident(name)} = r.${ident(right[i]!.name)}`).join(' AND ')} AND ${hasKeys(left, 'l')}`;

/** @throws CONTRACT_VIOLATED naming the first keys that stand for several rows where one is expected */
export async function requireUniqueKeys(
  connection: Connection,
  keys: JoinKeys,
  relationship: Relationship,
): Promise<void> {
  const [left, right] = relationship.split('-to-');
  if (left === 'one') await requireUnique(connection, 'l', keys.left, 'left', relationship);
  if (right === 'one') await requireUnique(connection, 'r', keys.right, 'right', relationship);
}

async function requireUnique(
  connection: Connection,
  table: 'l' | 'r',
  columns: Column[],
  side: string,
  relationship: Relationship,
): Promise<void> {
  const names = columns.map(({ name }) => ident(name)).join(', ');
  const n = ident(freshName(columns, 'n'));
  const repeated = `(SELECT ${names}, count(*) AS ${n} FROM ${table} WHERE ${hasKeys(columns, table)} GROUP BY ${names} HAVING count(*) > 1)`;
  const [found] = await connection.rows<{ n: string }>(`SELECT count(*)::VARCHAR AS n FROM ${repeated}`);
  if (found!.n === '0') return;
  const first = await connection.rows<{ key: (string | null)[]; n: string }>(
    `SELECT [${columns.map(({ name }) => `${ident(name)}::VARCHAR`).join(', ')}] AS key, repeated.${n}::VARCHAR AS n FROM ${repeated} repeated ORDER BY ${names} LIMIT 5`,
  );
  const shown = first.map(
    ({ key, n }) => `${columns.map(({ name }, i) => `${name} = ${key[i]}`).join(', ')} (${n} rows)`,
  );
  throw new HourglassError(
    'CONTRACT_VIOLATED',
    `Join: expected each key once in the ${side} dataset (relationship ${relationship}), found ${found!.n} repeated: ${shown.join('; ')}${Number(found!.n) > 5 ? '; …' : ''}. ` +
      'Remove the duplicates (contract unique of data/ingest with onViolation: quarantine), or say which sides may repeat by the option relationship.',
    { details: { side, repeated: Number(found!.n), first } },
  );
}

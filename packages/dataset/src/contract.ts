import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { freshName, pickColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { ident, literal, parquetScan, text } from './sql.ts';
import type { Column } from './types.ts';

/** What a dataset promises. Missing cells break only `notNull`. */
export interface Contract {
  minRows?: number;
  maxRows?: number;
  /** Logical type (`number` for integer or float), or a physical one such as `DECIMAL(10,2)`. */
  types?: Record<string, string>;
  /** Bounds, both allowed; dates as text. */
  ranges?: Record<string, { min?: number | string; max?: number | string }>;
  /** The only values allowed. */
  values?: Record<string, (string | number | boolean)[]>;
  /** Columns without missing cells (NaN counts as missing). */
  notNull?: string[];
  /** Columns, or groups of columns, whose values never repeat. */
  unique?: (string | string[])[];
  /** Columns without ±Infinity. */
  finite?: string[];
}

export interface Violation {
  /** `notNull(age)`, `ranges(age)`. */
  rule: string;
  /** Rows that break it; 0 for rules about the whole. */
  count: number;
  /** What was expected and found. */
  message: string;
  /** First offending rows, 1-based over the dataset, with the values that break the rule. */
  rows: { row: number; values: Record<string, string | null> }[];
}

/** A rule about single rows: broken where `broken` is true. */
export interface RowRule {
  rule: string;
  columns: string[];
  broken: string;
  expected: string;
}

const SHOWN = 5;

/** Checks a dataset and throws with every rule broken. @throws CONTRACT_VIOLATED, COLUMN_NOT_FOUND, OPTION_INVALID */
export async function checkContract(
  store: ArtifactStore,
  ref: ArtifactRef,
  contract: Contract,
  label = 'Contract',
): Promise<void> {
  const violations = await findViolations(store, ref, contract);
  if (violations.length > 0) throw contractViolated(violations, label);
}

/** All violations, bounded: five rows each. */
export async function findViolations(store: ArtifactStore, ref: ArtifactRef, contract: Contract): Promise<Violation[]> {
  const { meta, parts } = await readManifest(store, ref);
  const total = parts.reduce((sum, part) => sum + part.rows, 0);
  const scan = parquetScan(parts.map((part) => part.path));
  const rules = rowRules(contract, meta.columns);
  const whole = wholeViolations(contract, meta.columns, total);
  return withConnection(async (connection) => [
    ...whole,
    ...(await rowViolations(connection, scan, rules, meta.columns)),
    ...(await repeated(connection, scan, contract, meta.columns)),
  ]);
}

/** One error that lists them. */
export function contractViolated(violations: Violation[], label: string): HourglassError {
  const lines = violations.slice(0, 20).map(({ rule, message, count, rows }) => {
    const shown = rows.map(
      ({ row, values }) =>
        `row ${row} (${Object.entries(values)
          .map(([name, value]) => `${name} = ${value ?? 'NULL'}`)
          .join(', ')})`,
    );
    const more = count > rows.length ? `, … (${count} rows)` : '';
    return `  ${rule}: ${message}${shown.length > 0 ? `: ${shown.join(', ')}${more}` : ''}`;
  });
  const rest = violations.length > 20 ? `\n  … and ${violations.length - 20} rules more` : '';
  return new HourglassError(
    'CONTRACT_VIOLATED',
    `${label}: ${violations.length} ${violations.length === 1 ? 'rule is' : 'rules are'} broken.\n${lines.join('\n')}${rest}\nCorrect the rows, or the contract.`,
    { details: { violations: violations.slice(0, 20) } },
  );
}

/** The rules a single row can break, in the order of the contract. @throws COLUMN_NOT_FOUND, OPTION_INVALID */
export function rowRules(contract: Contract, columns: Column[]): RowRule[] {
  const { ranges = {}, values = {}, notNull = [], finite = [] } = contract;
  const find = (name: string, rule: string): Column => pickColumns(columns, [name], `Contract ${rule}`)[0]!;
  const rules: RowRule[] = [];
  for (const name of notNull) {
    const column = find(name, 'notNull');
    const nan = isFloat(column) ? ` OR isnan(${ident(name)})` : '';
    rules.push({
      rule: `notNull(${name})`,
      columns: [name],
      broken: `(${ident(name)} IS NULL${nan})`,
      expected: 'expected a value, found none',
    });
  }
  for (const [name, { min, max }] of Object.entries(ranges)) {
    const column = find(name, 'ranges');
    const bound = (value: number | string): string => rangeLiteral(value, column);
    const tests = [
      min === undefined ? '' : `${ident(name)} < ${bound(min)}`,
      max === undefined ? '' : `${ident(name)} > ${bound(max)}`,
    ];
    const nan = isFloat(column) ? `NOT isnan(${ident(name)}) AND ` : '';
    const broken = tests.filter((test) => test !== '').join(' OR ');
    if (broken !== '')
      rules.push({
        rule: `ranges(${name})`,
        columns: [name],
        broken: `(${nan}(${broken}))`,
        expected: `expected ${min ?? '−∞'} to ${max ?? '∞'}`,
      });
  }
  for (const [name, allowed] of Object.entries(values)) {
    const column = find(name, 'values');
    const list = allowed.map((value) => (typeof value === 'string' ? text(value) : literal(value)));
    const of = typeof allowed[0] === 'string' || column.type === 'string' ? `${ident(name)}::VARCHAR` : ident(name);
    const compared = of.endsWith('::VARCHAR') ? allowed.map((value) => text(String(value))) : list;
    rules.push({
      rule: `values(${name})`,
      columns: [name],
      broken: `(${of} NOT IN (${compared.join(', ')}))`,
      expected: `expected one of ${allowed
        .slice(0, 8)
        .map((value) => JSON.stringify(value))
        .join(', ')}${allowed.length > 8 ? `, … (${allowed.length})` : ''}`,
    });
  }
  for (const name of finite)
    if (isFloat(find(name, 'finite')))
      rules.push({
        rule: `finite(${name})`,
        columns: [name],
        broken: `isinf(${ident(name)})`,
        expected: 'expected a finite number',
      });
  return rules;
}

const isFloat = ({ physical }: Column): boolean => physical === 'DOUBLE' || physical === 'FLOAT';

function rangeLiteral(value: number | string, column: Column): string {
  if (['string', 'boolean', 'vector', 'other'].includes(column.type))
    throw new HourglassError(
      'OPTION_INVALID',
      `Contract ranges(${column.name}): expected a column of numbers or points in time, found ${column.physical}.`,
    );
  const temporal = ['date', 'timestamp', 'time'].includes(column.type);
  if (temporal !== (typeof value === 'string'))
    throw new HourglassError(
      'OPTION_INVALID',
      `Contract ranges(${column.name}): expected ${temporal ? 'a date or time as text' : 'a number'}, found ${JSON.stringify(value)}.`,
    );
  return temporal ? `${text(String(value))}::${column.physical}` : literal(value);
}

/** Broken rules about the whole: number of rows, types. */
export function wholeViolations(
  { minRows, maxRows, types = {} }: Contract,
  columns: Column[],
  total: number,
): Violation[] {
  const violations: Violation[] = [];
  const add = (rule: string, message: string): void => void violations.push({ rule, count: 0, message, rows: [] });
  if (minRows !== undefined && total < minRows) add('minRows', `expected at least ${minRows} rows, found ${total}`);
  if (maxRows !== undefined && total > maxRows) add('maxRows', `expected at most ${maxRows} rows, found ${total}`);
  for (const [name, expected] of Object.entries(types)) {
    const column = columns.find((candidate) => candidate.name === name);
    if (column === undefined) add(`types(${name})`, `expected ${expected}, found no such column`);
    else if (!hasType(column, expected))
      add(`types(${name})`, `expected ${expected}, found ${column.type} (${column.physical})`);
  }
  return violations;
}

/** Whether a column has the logical or physical type a contract names. */
export function hasType({ type, physical }: Column, expected: string): boolean {
  if (expected === 'number') return type === 'integer' || type === 'float';
  if (expected === 'float') return type === 'float';
  return type === expected || physical.toUpperCase() === expected.toUpperCase();
}

async function rowViolations(
  connection: Connection,
  scan: string,
  rules: RowRule[],
  all: Column[],
): Promise<Violation[]> {
  if (rules.length === 0) return [];
  const [counts = {}] = await connection.rows<Record<string, string>>(
    `SELECT ${rules.map(({ broken }, i) => `count_if(${broken})::VARCHAR AS r${i}`).join(', ')} FROM ${scan}`,
  );
  const violations: Violation[] = [];
  for (const [i, { rule, columns, broken, expected }] of rules.entries()) {
    const count = Number(counts[`r${i}`]);
    if (count === 0) continue;
    violations.push({ rule, count, message: expected, rows: await rowsWhere(connection, scan, all, broken, columns) });
  }
  return violations;
}

async function repeated(
  connection: Connection,
  scan: string,
  { unique = [] }: Contract,
  columns: Column[],
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const n = ident(freshName(columns, 'n'));
  for (const entry of unique) {
    const names = typeof entry === 'string' ? [entry] : entry;
    pickColumns(columns, names, 'Contract unique');
    const list = names.map(ident).join(', ');
    const present = names.map((name) => `${ident(name)} IS NOT NULL`).join(' AND ');
    const groups = `(SELECT ${list}, count(*) AS ${n} FROM ${scan} WHERE ${present} GROUP BY ${list} HAVING count(*) > 1)`;
    const [found] = await connection.rows<{ n: string }>(
      `SELECT coalesce(sum(${n}), 0)::BIGINT::VARCHAR AS n FROM ${groups}`,
    );
    const count = Number(found!.n);
    if (count > 0)
      violations.push({
        rule: `unique(${names.join(', ')})`,
        count,
        message: 'expected values that never repeat',
        rows: await rowsWhere(connection, scan, columns, `(${list}) IN (SELECT (${list}) FROM ${groups})`, names),
      });
  }
  return violations;
}

async function rowsWhere(
  connection: Connection,
  scan: string,
  columns: Column[],
  condition: string,
  names: string[],
): Promise<Violation['rows']> {
  const row = ident(freshName(columns, 'row'));
  const found = await connection.rows<{ row: string; values: (string | null)[] }>(
    `SELECT ${row}::VARCHAR AS row, [${names.map((name) => `${ident(name)}::VARCHAR`).join(', ')}] AS values
     FROM (SELECT *, row_number() OVER () AS ${row} FROM ${scan}) numbered WHERE ${condition} ORDER BY numbered.${row} LIMIT ${SHOWN}`,
  );
  return found.map(({ row, values }) => ({
    row: Number(row),
    values: Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])),
  }));
}

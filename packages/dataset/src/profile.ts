import type { ArtifactStore } from '@hourglass/artifacts';
import { compact, type ArtifactRef } from '@hourglass/core';
import { finiteOf, isFloat, isNumeric, isOrdered, missingIn, smallestAndLargest } from './column-facts.ts';
import { boundOf } from './column-ranges.ts';
import { freshName } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { summariseNumbers } from './numeric-summary.ts';
import type { LocalPart } from './segments.ts';
import { ident, parquetScan } from './sql.ts';
import { readTable } from './table.ts';
import type { Column, ColumnData, Table } from './types.ts';
import { asDouble, memoryKind } from './values.ts';

/** What a column holds. Points in time are milliseconds since 1970 UTC in `mean` and `quantiles`, text in `min` and `max`. */
export interface ColumnProfile {
  type: Column['type'];
  physical: string;
  /** NULL or NaN cells. */
  missing: number;
  /** ±Infinity cells. */
  infinite?: number;
  distinct?: number;
  /** True where `distinct` is an estimate (HyperLogLog, about 2 % off). */
  distinctEstimated?: boolean;
  min?: number | string;
  max?: number | string;
  mean?: number;
  std?: number;
  /** At 1, 5, 25, 50, 75, 95 and 99 %. */
  quantiles?: { p01: number; p05: number; p25: number; p50: number; p75: number; p95: number; p99: number };
  /** True where quantiles are those of every k-th row. */
  quantilesSampled?: boolean;
  /** Most frequent values of text and booleans, then alphabetical. */
  top?: { value: string; count: number }[];
}

export interface DatasetProfile {
  rows: number;
  columns: Record<string, ColumnProfile>;
}

/** Up to here distinct values of text are counted exactly. */
const EXACT_DISTINCT = 1_000_000;
/** Up to here a column of numbers is taken into memory: quantiles are those of all rows, distinct values are counted exactly. */
const IN_MEMORY = 4_000_000;
const LEVELS = { p01: 0.01, p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95, p99: 0.99 };

/** Cells looked at together: many narrow queries would open the files again and again, few wide ones need memory. */
const CELLS = 4_000_000;

/** Looks at a few columns at a time, on one thread: the same data give the same profile, in bounded memory. */
export async function profileDataset(
  store: ArtifactStore,
  ref: ArtifactRef,
  options: { columns?: string[]; onColumn?: (done: number, of: number) => void; signal?: AbortSignal } = {},
): Promise<DatasetProfile> {
  const { meta, parts } = await readManifest(store, ref);
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const scan = parquetScan(parts.map((part) => part.path));
  const chosen = meta.columns.filter((column) => options.columns?.includes(column.name) ?? true);
  const columns: Record<string, ColumnProfile> = {};
  const width = Math.min(64, Math.max(1, Math.floor(CELLS / Math.max(1, rows))));
  await withConnection(async (connection) => {
    for (let from = 0; from < chosen.length; from += width) {
      options.signal?.throwIfAborted();
      const some = chosen.slice(from, from + width);
      const profiles = await profileColumns(connection, { scan, parts, all: meta.columns }, some, rows);
      some.forEach((column, i) => (columns[column.name] = profiles[i]!));
      options.onColumn?.(from + some.length, chosen.length);
    }
  });
  return { rows, columns };
}

type Found = Record<string, number | string | number[] | null | undefined>;

interface Source {
  scan: string;
  parts: LocalPart[];
  all: Column[];
}

async function profileColumns(
  connection: Connection,
  { scan, parts, all }: Source,
  columns: Column[],
  rows: number,
): Promise<ColumnProfile[]> {
  const step = Math.ceil(rows / IN_MEMORY);
  const inMemory = (column: Column): boolean => step <= 1 && isNumeric(column);
  const exact = (column: Column): boolean => inMemory(column) || rows <= EXACT_DISTINCT;
  const first = columns.flatMap((column, i) =>
    basics(column, inMemory(column), exact(column)).map(([name, sql]) => `${sql} AS ${name}${i}`),
  );
  const [found = {}] = await connection.rows<Found>(`SELECT ${first.join(', ')} FROM ${scan}`);
  const numeric = columns.flatMap((column, i) => (isNumeric(column) ? [{ column, i }] : []));
  if (numeric.length > 0)
    await (step <= 1
      ? summarise(found, numeric, await readTable(all, parts, names(numeric)))
      : estimate(connection, found, numeric, scan, step));
  const profiles: ColumnProfile[] = [];
  for (const [i, column] of columns.entries()) {
    const profile = profileOf(column, (name) => found[`${name}${i}`], exact(column), step > 1);
    const { type } = column;
    profiles.push(
      type === 'string' || type === 'boolean'
        ? { ...profile, top: await top(connection, scan, ident(column.name)) }
        : profile,
    );
  }
  return profiles;
}

type Numeric = { column: Column; i: number }[];

const names = (numeric: Numeric): string[] => numeric.map(({ column }) => column.name);

/** Exact answers, from the values in memory. */
function summarise(found: Found, numeric: Numeric, table: Table): void {
  for (const { column, i } of numeric) {
    const { values } = table.columns[column.name] as Extract<ColumnData, { kind: 'numeric' }>;
    const { infinite, distinct, mean, std, quantiles } = summariseNumbers(values, Object.values(LEVELS));
    Object.assign(found, {
      [`infinite${i}`]: infinite,
      [`distinct${i}`]: distinct,
      [`mean${i}`]: mean,
      [`std${i}`]: std,
      [`q${i}`]: quantiles,
    });
  }
}

/** Quantiles of every `step`-th row, and the deviation of all. */
async function estimate(
  connection: Connection,
  found: Found,
  numeric: Numeric,
  scan: string,
  step: number,
): Promise<void> {
  const of = numeric.map(({ column, i }) => ({ i, value: asDouble(column, finiteOf(column)) }));
  const quantile = of.map(({ value, i }) => `quantile_cont(${value}, [${Object.values(LEVELS).join(', ')}]) AS q${i}`);
  const list = names(numeric).map(ident).join(', ');
  const row = ident(
    freshName(
      numeric.map(({ column }) => column),
      'row',
    ),
  );
  const sampled = `(SELECT ${list} FROM (SELECT ${list}, row_number() OVER () AS ${row} FROM ${scan}) WHERE ${row} % ${step} = 1)`;
  Object.assign(found, (await connection.rows<Found>(`SELECT ${quantile.join(', ')} FROM ${sampled}`))[0]);
  // Squares of very large or small values leave the range of double; dividing by a power of two changes no digit.
  const unit = (i: number): number => 2 ** Math.floor(Math.log2(Number(found[`largest${i}`]) || 1));
  const deviations = of.map(({ value, i }) => `stddev_pop(${value} / ${unit(i)}) AS std${i}`);
  const [spread = {}] = await connection.rows<Found>(`SELECT ${deviations.join(', ')} FROM ${scan}`);
  for (const { i } of of) found[`std${i}`] = spread[`std${i}`] === null ? null : Number(spread[`std${i}`]) * unit(i);
}

/** Names and SQL of what is counted in one pass. */
function basics(column: Column, inMemory: boolean, exact: boolean): [string, string][] {
  const c = ident(column.name);
  const float = isFloat(column);
  const finite = finiteOf(column);
  const present = float ? `(CASE WHEN isnan(${c}) THEN NULL ELSE ${c} END)` : c;
  const ordered = isOrdered(column);
  const [low, high] = smallestAndLargest(column);
  const select: [string, string | false][] = [
    ['missing', `${missingIn(column)}::DOUBLE`],
    ['infinite', float && !inMemory && `count_if(isinf(${c}))::DOUBLE`],
    [
      'distinct',
      memoryKind(column) !== undefined &&
        !inMemory &&
        `${exact ? `count(DISTINCT ${present})` : `approx_count_distinct(${present})`}::DOUBLE`,
    ],
    ['low', ordered && low],
    ['high', ordered && high],
    ['mean', isNumeric(column) && !inMemory && `avg(${asDouble(column, finite)})`],
    ['largest', isNumeric(column) && !inMemory && `max(abs(${asDouble(column, finite)}))`],
  ];
  return select.filter((entry): entry is [string, string] => entry[1] !== false);
}

function profileOf(
  column: Column,
  found: (name: string) => Found[string],
  exact: boolean,
  sampled: boolean,
): ColumnProfile {
  const { type, physical } = column;
  const number = (name: string): number | undefined => {
    const value = found(name);
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const levels = found('q') as number[] | null | undefined;
  const quantiles = levels && Object.fromEntries(Object.keys(LEVELS).map((name, k) => [name, levels[k]!]));
  return compact({
    type,
    physical,
    missing: Number(found('missing')),
    infinite: isFloat(column) ? Number(found('infinite') ?? 0) : undefined,
    distinct: number('distinct'),
    distinctEstimated: memoryKind(column) !== undefined && !exact ? true : undefined,
    min: boundOf(column, found('low')),
    max: boundOf(column, found('high')),
    mean: number('mean'),
    std: number('std'),
    quantiles: (quantiles ?? undefined) as ColumnProfile['quantiles'],
    quantilesSampled: quantiles && sampled ? true : undefined,
  });
}

async function top(connection: Connection, scan: string, c: string): Promise<{ value: string; count: number }[]> {
  const found = await connection.rows<{ value: string; n: number }>(
    `SELECT ${c}::VARCHAR AS value, count(*)::DOUBLE AS n FROM ${scan} WHERE ${c} IS NOT NULL GROUP BY 1 ORDER BY n DESC, value LIMIT 10`,
  );
  return found.map(({ value, n }) => ({ value: value.length > 80 ? `${value.slice(0, 80)}…` : value, count: n }));
}

import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { finiteOf, isFloat, isNumeric, isOrdered, missingIn, smallestAndLargest } from './column-facts.ts';
import { boundOf } from './column-ranges.ts';
import { readManifest } from './dataset-manifest.ts';
import { withConnection, type Connection } from './duckdb.ts';
import { ident, parquetScan } from './sql.ts';
import type { Column } from './types.ts';
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

/** Up to here distinct values are counted exactly. */
const EXACT_DISTINCT = 1_000_000;
/** Up to here quantiles are those of all rows. */
const EXACT_QUANTILES = 4_000_000;
const LEVELS = { p01: 0.01, p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95, p99: 0.99 };

/** Cells that one query looks at: many narrow queries would open the files again and again, few wide ones need memory. */
const CELLS = 2_000_000;

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
      const profiles = await profileColumns(connection, scan, some, rows);
      some.forEach((column, i) => (columns[column.name] = profiles[i]!));
      options.onColumn?.(from + some.length, chosen.length);
    }
  });
  return { rows, columns };
}

type Found = Record<string, number | string | number[] | null | undefined>;

async function profileColumns(
  connection: Connection,
  scan: string,
  columns: Column[],
  rows: number,
): Promise<ColumnProfile[]> {
  const exact = rows <= EXACT_DISTINCT;
  const step = Math.ceil(rows / EXACT_QUANTILES);
  const first = columns.flatMap((column, i) => basics(column, exact).map(([name, sql]) => `${sql} AS ${name}${i}`));
  const numeric = columns.flatMap((column, i) =>
    isNumeric(column) ? [{ column, i, value: asDouble(column, finiteOf(column)) }] : [],
  );
  const quantile = numeric.map(
    ({ value, i }) => `quantile_cont(${value}, [${Object.values(LEVELS).join(', ')}]) AS q${i}`,
  );
  if (step === 1) first.push(...quantile);
  const [found = {}] = await connection.rows<Found>(`SELECT ${first.join(', ')} FROM ${scan}`);
  if (step > 1 && quantile.length > 0) {
    const names = numeric.map(({ column }) => ident(column.name)).join(', ');
    const sampled = `(SELECT ${names} FROM (SELECT ${names}, row_number() OVER () AS _row FROM ${scan}) WHERE _row % ${step} = 1)`;
    Object.assign(found, (await connection.rows<Found>(`SELECT ${quantile.join(', ')} FROM ${sampled}`))[0]);
  }
  if (numeric.length > 0) {
    // Squares of very large or small values leave the range of double; dividing by a power of two changes no digit.
    const unit = (i: number): number => 2 ** Math.floor(Math.log2(Number(found[`largest${i}`]) || 1));
    const deviations = numeric.map(({ value, i }) => `stddev_pop(${value} / ${unit(i)}) AS std${i}`);
    const [spread = {}] = await connection.rows<Found>(`SELECT ${deviations.join(', ')} FROM ${scan}`);
    for (const { i } of numeric)
      found[`std${i}`] = spread[`std${i}`] === null ? null : Number(spread[`std${i}`]) * unit(i);
  }
  const profiles: ColumnProfile[] = [];
  for (const [i, column] of columns.entries()) {
    const profile = profileOf(column, (name) => found[`${name}${i}`], exact, step > 1);
    const { type } = column;
    profiles.push(
      type === 'string' || type === 'boolean'
        ? { ...profile, top: await top(connection, scan, ident(column.name)) }
        : profile,
    );
  }
  return profiles;
}

/** Names and SQL of what is counted in one pass. */
function basics(column: Column, exact: boolean): [string, string][] {
  const c = ident(column.name);
  const float = isFloat(column);
  const finite = finiteOf(column);
  const present = float ? `(CASE WHEN isnan(${c}) THEN NULL ELSE ${c} END)` : c;
  const ordered = isOrdered(column);
  const [low, high] = smallestAndLargest(column);
  const select: [string, string | false][] = [
    ['missing', `${missingIn(column)}::DOUBLE`],
    ['infinite', float && `count_if(isinf(${c}))::DOUBLE`],
    [
      'distinct',
      memoryKind(column) !== undefined &&
        `${exact ? `count(DISTINCT ${present})` : `approx_count_distinct(${present})`}::DOUBLE`,
    ],
    ['low', ordered && low],
    ['high', ordered && high],
    ['mean', isNumeric(column) && `avg(${asDouble(column, finite)})`],
    ['largest', isNumeric(column) && `max(abs(${asDouble(column, finite)}))`],
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

const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;

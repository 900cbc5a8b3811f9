import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { pickColumns } from './columns.ts';
import { readManifest } from './dataset-manifest.ts';
import { chunksOf, withConnection, type Connection } from './duckdb.ts';
import { ident, parquetScan } from './sql.ts';
import { categoryData } from './table.ts';
import type { Column, ColumnData, Table } from './types.ts';
import { asDouble, memoryKind } from './values.ts';
import { writeDataset } from './write-dataset.ts';

/** Columns that say of a window where it lies; `unwindowRows` reads them. Positions count from 1 within a series. */
export const WINDOW_COLUMNS = ['window_start', 'window_end', 'window_first', 'window_last'] as const;

export interface WindowOptions {
  /** Column that orders the rows: a date, a timestamp or a number. */
  time: string;
  /** Columns whose values tell series apart. @default one series */
  by?: string[];
  /** Columns that go into windows. @default every column of numbers but `time` and `by` */
  columns?: string[];
  /** Rows of a window. */
  length: number;
  /** Rows from the beginning of a window to that of the next. */
  stride: number;
  /** A larger step of `time` (milliseconds, or the column's unit) ends a run of rows: no window spans it. @default no limit */
  maxGap?: number;
}

export interface Windowed {
  data: ArtifactRef;
  windows: number;
  series: number;
  /** Runs of rows without a gap. */
  runs: number;
  /** Rows in no window. */
  uncovered: number;
}

/** Windows written at a time. */
const BLOCK = 2048;

/**
 * Cuts series of rows into windows, one row each: keys, where it lies, then `NAME_0` … `NAME_(length − 1)` of every column.
 * Rows are ordered by key and time; memory holds one window of rows, however long the series.
 *
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID (no numbers, times missing or twice in a series), DATA_INSUFFICIENT (every run
 * is shorter than a window)
 */
export async function windowRows(store: ArtifactStore, ref: ArtifactRef, options: WindowOptions): Promise<Windowed> {
  const { meta, parts } = await readManifest(store, ref);
  const { time, keys, values } = windowColumns(meta.columns, options);
  const scan = parquetScan(parts.map(({ path }) => path));
  const found = { windows: 0, series: 0, runs: 0, covered: 0, rows: 0, longest: 0 };
  const data = await withConnection(async (connection) => {
    await requireTimes(connection, scan, time, keys);
    return writeDataset(store, {
      columns: [
        ...keys,
        { ...time, name: 'window_start' },
        { ...time, name: 'window_end' },
        { name: 'window_first', physical: 'BIGINT' },
        { name: 'window_last', physical: 'BIGINT' },
        ...values.flatMap((column) =>
          Array.from({ length: options.length }, (_, k) => ({ ...column, name: `${column.name}_${k}` })),
        ),
      ],
      parts: [{ tables: windows(connection, scan, time, keys, values, options, found) }],
    });
  });
  return {
    data,
    windows: found.windows,
    series: found.series,
    runs: found.runs,
    uncovered: found.rows - found.covered,
  };
}

/** The columns a window is made of. */
function windowColumns(
  columns: Column[],
  { time: timeName, by = [], columns: wanted }: WindowOptions,
): { time: Column; keys: Column[]; values: Column[] } {
  const [time] = pickColumns(columns, [timeName], 'Windows, option time');
  if (!['date', 'timestamp', 'integer', 'float'].includes(time!.type))
    throw new HourglassError(
      'COLUMN_INVALID',
      `Windows: column "${timeName}" is ${time!.physical}, expected dates, timestamps or numbers. Convert it, by data/sql for example.`,
    );
  const keys = pickColumns(columns, by, 'Windows, option by');
  const number = ({ type }: Column): boolean => ['float', 'integer', 'boolean'].includes(type);
  const others = columns.filter(({ name }) => name !== timeName && !by.includes(name));
  const values = wanted === undefined ? others.filter(number) : pickColumns(columns, wanted, 'Windows, option columns');
  const bad = [...values.filter((column) => !number(column)), ...keys.filter((key) => memoryKind(key) === undefined)];
  if (bad.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Windows: expected numbers, found ${bad.map(({ name, physical }) => `"${name}" (${physical})`).join(', ')}. Leave the column out or convert it.`,
    );
  if (values.length === 0)
    throw new HourglassError('COLUMN_INVALID', 'Windows: no column of numbers is left besides `time` and `by`.');
  return { time: time!, keys, values };
}

/** Every row has a time, and no two of a series the same: else their order, and so the windows, would be a matter of chance. */
async function requireTimes(connection: Connection, scan: string, time: Column, keys: Column[]): Promise<void> {
  const t = asDouble(time);
  const [missing] = await connection.rows<{ n: string }>(
    `SELECT count_if(${t} IS NULL OR NOT isfinite(${t}))::VARCHAR AS n FROM ${scan}`,
  );
  if (missing!.n !== '0')
    throw new HourglassError(
      'COLUMN_INVALID',
      `Windows: ${missing!.n} rows have no "${time.name}". Leave them out by \`where\` of data/ingest.`,
    );
  const names = [...keys, time].map(({ name }) => ident(name)).join(', ');
  const twice = await connection.rows<{ at: (string | null)[]; n: string }>(
    `SELECT [${[...keys, time].map(({ name }) => `${ident(name)}::VARCHAR`).join(', ')}] AS at, count(*)::VARCHAR AS n FROM ${scan} GROUP BY ${names} HAVING count(*) > 1 ORDER BY ${names} LIMIT 3`,
  );
  if (twice.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `Windows: expected each "${time.name}" once ${keys.length > 0 ? `for each ${keys.map(({ name }) => `"${name}"`).join(', ')}` : 'in the series'}, found ${twice.map(({ at, n }) => `${at.join(' / ')} (${n} rows)`).join(', ')}. Name the columns that tell series apart (\`by\`), or remove the duplicates.`,
    );
}

type Counts = { windows: number; series: number; runs: number; covered: number; rows: number; longest: number };

async function* windows(
  connection: Connection,
  scan: string,
  time: Column,
  keys: Column[],
  values: Column[],
  { length, stride, maxGap = Infinity }: WindowOptions,
  found: Counts,
): AsyncGenerator<Table> {
  const key = keys.map((column) =>
    memoryKind(column) === 'numeric' ? asDouble(column) : `${ident(column.name)}::VARCHAR`,
  );
  const select = [...key, asDouble(time), ...values.map((column) => `${asDouble(column)}::DOUBLE`)];
  const order = [...keys, time].map(({ name }) => `${ident(name)} ASC NULLS LAST`).join(', ');
  const result = await connection.stream(`SELECT ${select.join(', ')} FROM ${scan} ORDER BY ${order}`);
  const block = openBlock(keys, values, length);
  const at = keys.length;
  const ring = Array.from({ length }, () => new Float64Array(values.length + 1));
  let series: unknown[] | undefined;
  let position = 0; // of the row within its series, from 1
  let run = 0; // rows since the last gap
  let next = 0; // row of the run, from 1, at which the next window ends
  let last = NaN;
  let coveredTo = 0;
  for await (const chunk of chunksOf(result)) {
    const cells = Array.from({ length: chunk.columnCount }, (_, j) => chunk.getColumnValues(j));
    for (let i = 0; i < chunk.rowCount; i++) {
      const t = Number(cells[at]![i]);
      const same = series !== undefined && keys.every((_, j) => Object.is(series![j], cells[j]![i]));
      if (!same) {
        series = keys.map((_, j) => cells[j]![i]);
        found.series++;
        position = coveredTo = 0;
      }
      if (!same || t - last > maxGap) {
        found.runs++;
        run = 0;
        next = length;
      }
      last = t;
      position++;
      run++;
      found.rows++;
      found.longest = Math.max(found.longest, run);
      const row = ring[run % length]!;
      row[0] = t;
      values.forEach((_, v) => (row[v + 1] = (cells[at + 1 + v]![i] as number | null) ?? NaN));
      if (run !== next) continue;
      next += stride;
      block.add(series!, position - length + 1, (k) => ring[(run - length + 1 + k) % length]!);
      found.windows++;
      found.covered += position - Math.max(coveredTo, position - length);
      coveredTo = position;
      if (block.rows() === BLOCK) yield block.take();
    }
  }
  if (found.windows === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `Windows: the longest of ${found.runs} runs has ${found.longest} rows, a window ${length}. Choose a shorter length${Number.isFinite(maxGap) ? ', or a larger maxGap' : ''}.`,
    );
  if (block.rows() > 0) yield block.take();
}

/** Collects windows as columns. */
function openBlock(
  keys: Column[],
  values: Column[],
  length: number,
): {
  rows(): number;
  add(series: unknown[], first: number, rowOf: (k: number) => Float64Array): void;
  take(): Table;
} {
  let rows = 0;
  const keyCells: unknown[][] = keys.map(() => []);
  const numbers = (count: number): Float64Array[] => Array.from({ length: count }, () => new Float64Array(BLOCK));
  const places = numbers(WINDOW_COLUMNS.length);
  const cells = numbers(values.length * length);
  return {
    rows: () => rows,
    add(series, first, rowOf) {
      series.forEach((value, j) => keyCells[j]!.push(value));
      const [start, end, from, to] = places as [Float64Array, Float64Array, Float64Array, Float64Array];
      start[rows] = rowOf(0)[0]!;
      end[rows] = rowOf(length - 1)[0]!;
      from[rows] = first;
      to[rows] = first + length - 1;
      for (let k = 0; k < length; k++) {
        const row = rowOf(k);
        for (let v = 0; v < values.length; v++) cells[v * length + k]![rows] = row[v + 1]!;
      }
      rows++;
    },
    take() {
      const count = rows;
      rows = 0;
      const numeric = (of: Float64Array): ColumnData => ({ kind: 'numeric', values: of.slice(0, count) });
      const columns: Record<string, ColumnData> = Object.fromEntries([
        ...keys.map((column, j) => [column.name, keyData(column, keyCells[j]!.splice(0))]),
        ...WINDOW_COLUMNS.map((name, j) => [name, numeric(places[j]!)]),
        ...values.flatMap(({ name }, v) =>
          Array.from({ length }, (_, k) => [`${name}_${k}`, numeric(cells[v * length + k]!)]),
        ),
      ]);
      return { rows: count, columns };
    },
  };
}

function keyData(column: Column, cells: unknown[]): ColumnData {
  if (memoryKind(column) === 'numeric')
    return { kind: 'numeric', values: Float64Array.from(cells, (cell) => (cell === null ? NaN : Number(cell))) };
  return categoryData(cells as (string | null)[]);
}

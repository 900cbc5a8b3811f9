import { didYouMean, HourglassError } from '@hourglass/core';
import type { Column, ColumnData, Table } from '@hourglass/dataset';
import { isImageColumn } from '@hourglass/images';
import { fitCategory } from './category.ts';
import { cyclesOf } from './dates.ts';
import type { BooleanEncoder, ColumnEncoder, NumberEncoder, TableEncoder, VectorEncoder } from './encoder.ts';
import type { Normalisation } from './normalisations.ts';
import { fitNormaliser, normalise, quantile, type Normaliser } from './normaliser.ts';
import { addVectors, vectorEncoder, vectorMoments } from './vectors.ts';

/** What fitting reads: a dataset's reader, or a table in memory. */
export interface TableSource {
  columns: Column[];
  rows: number;
  /** A table of the caller's own: fitting sorts its columns in place, since a copy of a long one would be memory twice. */
  table(columns?: string[]): Promise<Table>;
  /** The rows in order, some at a time; needed only where the whole table is too much. */
  chunks?(columns?: string[]): AsyncIterable<Table>;
}

export interface FitOptions {
  /** Columns to learn; all others pass through. @default every column that can be learned */
  columns?: string[];
  /** Columns not to learn. @default none */
  exclude?: string[];
  /** @default 'rank-gauss' */
  normalisation?: Normalisation;
  /** Numeric columns whose values are names, not amounts. */
  categorical?: string[];
  /** Categories that get a code of their own; rarer ones share hash buckets. @default 256 */
  maxCategories?: number;
  /** What happens to free text: an error that names the column, or passing it through unlearned. @default 'refuse' */
  text?: 'refuse' | 'pass';
  /** Whether vector columns are learned, or refused by name. @default false */
  vectors?: boolean;
}

export interface Fitted {
  encoder: TableEncoder;
  /** What a person should know: hashed, constant, empty and passed-through columns. */
  notices: string[];
}

/** Cells held in memory at once while fitting. */
const CELLS_AT_ONCE = 4_000_000;

/**
 * Fits the column encoders on a table; deterministic.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID (text, infinite values, types that are not learned), DATA_INSUFFICIENT
 */
export async function fitTable(source: TableSource, options: FitOptions = {}): Promise<Fitted> {
  if (source.rows === 0)
    throw new HourglassError('DATA_INSUFFICIENT', 'the table has no rows: there is nothing to learn from');
  const learned = chooseColumns(source.columns, options);
  const notices: string[] = [];
  const encoders: ColumnEncoder[] = [];
  const ignored = source.columns.filter((column) => !learned.includes(column)).map((column) => column.name);
  const group = Math.max(1, Math.floor(CELLS_AT_ONCE / source.rows));
  for (const column of learned.filter(({ type }) => type === 'vector'))
    encoders.push(await fitVector(source, column, notices));
  const single = learned.filter(({ type }) => type !== 'vector');
  for (let start = 0; start < single.length; start += group) {
    const columns = single.slice(start, start + group);
    const table = await source.table(columns.map((column) => column.name));
    for (const column of columns) {
      const encoder = fitColumn(column, table.columns[column.name]!, options, notices);
      if (encoder) encoders.push(encoder);
      else ignored.push(column.name);
    }
  }
  if (encoders.length === 0)
    throw new HourglassError('DATA_INSUFFICIENT', 'no column is left to learn from: all are excluded or text');
  if (options.normalisation === 'pooled') poolScales(encoders);
  const order = { number: 0, vector: 1, boolean: 2, category: 3 };
  // Array.sort is stable: within a kind, the table's order.
  encoders.sort((a, b) => order[a.kind] - order[b.kind]);
  return { encoder: { columns: encoders, schema: source.columns, ignored }, notices };
}

type LinearColumn = NumberEncoder & { map: Extract<Normaliser, { kind: 'linear' }> };

/** Gives numeric columns the root of their mean variance as common scale; a column's cells then cost what they vary. */
function poolScales(encoders: readonly ColumnEncoder[]): void {
  const columns = encoders.filter(
    (encoder): encoder is LinearColumn => encoder.kind === 'number' && encoder.map.kind === 'linear',
  );
  const variances = columns.map(({ min, max, map }) => (min < max ? map.scale ** 2 : 0));
  const scale = Math.sqrt(variances.reduce((sum, variance) => sum + variance / variances.length, 0)) || 1;
  for (const column of columns) {
    column.map.scale = scale;
    column.weight = 1;
  }
}

const LEARNABLE = new Set(['float', 'integer', 'time', 'boolean', 'string', 'date', 'timestamp']);

/** Kept exactly in the dataset, but no numbers to compute with. */
const BEYOND = new Set(['bigint', 'decimal']);

function chooseColumns(columns: Column[], options: FitOptions): Column[] {
  const names = columns.map((column) => column.name);
  for (const key of ['columns', 'exclude', 'categorical'] as const)
    for (const name of options[key] ?? [])
      if (!names.includes(name))
        throw new HourglassError(
          'COLUMN_NOT_FOUND',
          `${key}: the table has no column "${name}"${suggestion(name, names)}; it has ${listed(names)}`,
          { details: { option: key, column: name } },
        );
  const chosen = columns.filter(
    ({ name }) => (options.columns?.includes(name) ?? true) && !options.exclude?.includes(name),
  );
  for (const column of chosen)
    if (!(LEARNABLE.has(column.type) || (options.vectors && column.type === 'vector')))
      throw new HourglassError(
        'COLUMN_INVALID',
        `column "${column.name}" has type ${column.physical}${BEYOND.has(column.type) ? ' with values beyond double precision' : ''}, ` +
          `which is not learned; ${remedy(column, options)}`,
        { details: { column: column.name, type: column.type } },
      );
  return chosen;
}

/** What is learned of pictures is their pixels: whoever only leaves them out learns something else. */
function remedy(column: Column, { vectors }: FitOptions): string {
  const exclude = `exclude: [${column.name}]`;
  if (isImageColumn(column))
    return `pictures are learned as numbers: make rows of their pixels with data/pixels${vectors ? '' : ' (layout: columns)'}; if it holds no pictures, leave it out of learning: ${exclude}`;
  if (column.type === 'vector')
    return `lists are not learned by this stage: give it a column for each number (of pictures data/pixels with layout: columns), or leave the list out of learning: ${exclude}`;
  return `leave it out of learning: ${exclude}`;
}

const suggestion = (name: string, names: string[]): string => {
  const near = didYouMean(name, names);
  return near ? ` (did you mean "${near}"?)` : '';
};

/** Names for a message, bounded however many there are. */
export const listed = (names: readonly string[], limit = 12): string =>
  names.length <= limit ? names.join(', ') : `${names.slice(0, limit).join(', ')} and ${names.length - limit} more`;

function fitColumn(
  column: Column,
  data: ColumnData,
  options: FitOptions,
  notices: string[],
): ColumnEncoder | undefined {
  if (data.kind === 'category' || options.categorical?.includes(column.name))
    return fitCategory(column, data, options, notices);
  if (column.type === 'boolean') return fitBoolean(column, data.values);
  return fitNumber(column, data.values, options.normalisation ?? 'rank-gauss', notices);
}

async function fitVector(source: TableSource, column: Column, notices: string[]): Promise<VectorEncoder> {
  const moments = vectorMoments(column.length!);
  const add = (table: Table): void => addVectors(moments, column.name, table.vectors![column.name]!);
  if (source.chunks) for await (const chunk of source.chunks([column.name])) add(chunk);
  else add(await source.table([column.name]));
  if (moments.min === moments.max) notices.push(`all elements of column "${column.name}" are ${moments.min}`);
  return vectorEncoder(column, moments);
}

function fitBoolean(column: Column, values: Float64Array): BooleanEncoder {
  const observed = values.filter((value) => !Number.isNaN(value));
  const share = observed.length ? observed.reduce((sum, value) => sum + value, 0) / observed.length : 0.5;
  return {
    kind: 'boolean',
    name: column.name,
    type: column.type,
    missing: 1 - observed.length / values.length,
    share,
    weight: 1 / entropyFloor(-xLogX(share) - xLogX(1 - share)),
  };
}

function fitNumber(column: Column, values: Float64Array, kind: Normalisation, notices: string[]): NumberEncoder {
  const sorted = finiteSorted(column.name, values);
  const empty = sorted.length === 0;
  const min = sorted[0] ?? NaN;
  const max = sorted.at(-1) ?? NaN;
  if (empty) notices.push(`column "${column.name}" has no value at all: it stays missing`);
  else if (min === max) notices.push(`column "${column.name}" is constant (${min})`);
  const dated = column.type === 'date' || column.type === 'timestamp';
  const map = fitNormaliser(sorted, kind);
  const spread = empty ? 0 : spreadOf(sorted, map);
  return {
    kind: 'number',
    name: column.name,
    type: column.type,
    missing: 1 - sorted.length / values.length,
    weight: spread > 0 ? 1 / spread ** 2 : 1,
    map,
    min,
    max,
    integer: !empty && !dated && sorted.every(Number.isInteger),
    cycles: dated ? cyclesOf(sorted) : [],
    empty,
    quantiles: empty ? [] : Array.from({ length: 21 }, (_, k) => quantile(sorted, k / 20)),
  };
}

/** Deviation of the normalised values, without a second array: a column may have millions. */
function spreadOf(sorted: Float64Array, map: Normaliser): number {
  let mean = 0;
  for (const value of sorted) mean += normalise(map, value);
  mean /= sorted.length;
  let squares = 0;
  for (const value of sorted) squares += (normalise(map, value) - mean) ** 2;
  return Math.sqrt(squares / sorted.length);
}

/** Observed values, ascending, in the memory of `values`. @throws COLUMN_INVALID at the first infinite one */
function finiteSorted(name: string, values: Float64Array): Float64Array {
  assertFinite(name, values, 0);
  let missing = 0;
  for (const value of values) if (Number.isNaN(value)) missing++;
  // NaN sorts last.
  return values.sort().subarray(0, values.length - missing);
}

/** @throws COLUMN_INVALID naming column and row of the first infinite value */
export function assertFinite(name: string, values: Float64Array, firstRow: number): void {
  const row = values.findIndex((value) => value === Infinity || value === -Infinity);
  if (row < 0) return;
  const count = values.reduce((sum, value) => sum + (value === Infinity || value === -Infinity ? 1 : 0), 0);
  throw new HourglassError(
    'COLUMN_INVALID',
    `column "${name}" holds ${count} infinite value${count === 1 ? '' : 's'}, the first in row ${firstRow + row}: ` +
      `turn them into missing cells or finite values, or exclude the column`,
    { details: { column: name, row: firstRow + row } },
  );
}

export const xLogX = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

/** A column that is nearly constant must not get a huge weight: its rare cells would drown the others. */
export const entropyFloor = (entropy: number): number => Math.max(entropy, 0.1);

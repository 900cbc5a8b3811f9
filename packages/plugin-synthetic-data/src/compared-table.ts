import { HourglassError } from '@hourglass/core';
import { sampleRows, type Column, type ColumnData, type DatasetReader, type VectorData } from '@hourglass/dataset';
import type { ComparedColumn } from '@hourglass/metrics';

/** A table as comparisons take it, and how many rows it has. */
export interface ComparedTable {
  rows: number;
  columns: Record<string, ComparedColumn>;
}

/** Columns to compare: names, and which of the numeric ones hold names instead of amounts. */
export interface ComparedColumns {
  names: string[];
  categorical: Set<string>;
}

/** Elements of lists that are compared, each as a column of its own, at most: all pairs of columns are. */
const MOST_ELEMENTS = 1024;

/**
 * Reads columns; booleans and numbers that are names become categories, a list of numbers a column for each element:
 * `pixels[1]`, `pixels[2]` … At most `most` rows, evenly spread, and of long lists elements evenly spread.
 */
export async function readCompared(
  reader: DatasetReader,
  { names, categorical }: ComparedColumns,
  most: number,
): Promise<ComparedTable> {
  const { rows, columns, vectors = {} } = await sampleRows(reader, names, most);
  const elements = Math.max(1, Math.floor(MOST_ELEMENTS / Object.keys(vectors).length));
  const types = new Map(reader.columns.map(({ name, type }) => [name, type]));
  return {
    rows,
    columns: Object.fromEntries(
      names.flatMap((name): [string, ComparedColumn][] => {
        if (vectors[name]) return elementsOf(name, vectors[name], rows, elements);
        const data = columns[name]!;
        const named = types.get(name) === 'boolean' || categorical.has(name);
        return [[name, named && data.kind === 'numeric' ? asCategory(data) : data]];
      }),
    ),
  };
}

function elementsOf(
  name: string,
  { values, length }: VectorData,
  rows: number,
  most: number,
): [string, ComparedColumn][] {
  const count = Math.min(length, most);
  return Array.from({ length: count }, (_, k) => {
    const j = Math.floor((k * length) / count);
    return [
      `${name}[${j + 1}]`,
      { kind: 'numeric', values: Float64Array.from({ length: rows }, (_, row) => values[row * length + j]!) },
    ];
  });
}

function asCategory({ values }: Extract<ColumnData, { kind: 'numeric' }>): ComparedColumn {
  const distinct = [...new Set(values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const codes = new Map(distinct.map((value, code) => [value, code]));
  return {
    kind: 'category',
    codes: Int32Array.from(values, (value) => codes.get(value) ?? -1),
    categories: distinct.map(String),
  };
}

/** Categories that are nearly all different tell nothing when compared. */
const TEXT_SHARE = 0.5;

/**
 * The columns the synthetic table and the real one have in common, but for those excluded.
 * @throws SCHEMA_MISMATCH when a table lacks one, COLUMN_INVALID for ids and free text
 */
export function columnsToCompare(
  stage: string,
  synthetic: DatasetReader,
  real: Record<string, DatasetReader>,
  exclude: readonly string[],
): Column[] {
  const columns = synthetic.columns.filter(({ name, type }) => !exclude.includes(name) && type !== 'other');
  for (const [input, reader] of Object.entries(real)) {
    const given = new Map(reader.columns.map((column) => [column.name, column]));
    const missing = columns.filter((column) => !alike(column, given.get(column.name)));
    if (missing.length > 0)
      throw new HourglassError(
        'SCHEMA_MISMATCH',
        `${stage}: \`${input}\` lacks ${missing
          .slice(0, 8)
          .map(({ name, type }) => `${name} (${type})`)
          .join(
            ', ',
          )} of the synthetic table, or has other types there; compare tables of the same columns, or exclude those`,
        { details: { input, columns: missing.map(({ name }) => name) } },
      );
  }
  if (columns.length === 0)
    throw new HourglassError('INPUT_INVALID', `${stage}: no column is left to compare; exclude fewer`);
  return columns;
}

const NUMBERS = ['float', 'integer'];
const alike = (a: Column, b: Column | undefined): boolean =>
  (a.type === b?.type && a.length === b.length) || (NUMBERS.includes(a.type) && NUMBERS.includes(b?.type ?? ''));

/** @throws COLUMN_INVALID for a column of names of which most rows have their own */
export function refuseText(stage: string, { rows, columns }: ComparedTable): void {
  for (const [name, column] of Object.entries(columns))
    if (column.kind === 'category' && column.categories.length > 50 && column.categories.length > TEXT_SHARE * rows)
      throw new HourglassError(
        'COLUMN_INVALID',
        `${stage}: column "${name}" has ${column.categories.length} different values in ${rows} rows: an id or text, of which no distribution can be compared; exclude: [${name}]`,
        { details: { column: name } },
      );
}

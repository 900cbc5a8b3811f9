import { HourglassError } from '@hourglass/core';
import { sampleRows, type Column, type ColumnData, type DatasetReader } from '@hourglass/dataset';
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

/** Reads columns; booleans and numbers that are names become categories. At most `most` rows, evenly spread. */
export async function readCompared(
  reader: DatasetReader,
  { names, categorical }: ComparedColumns,
  most: number,
): Promise<ComparedTable> {
  const { rows, columns } = await sampleRows(reader, names, most);
  const types = new Map(reader.columns.map(({ name, type }) => [name, type]));
  return {
    rows,
    columns: Object.fromEntries(
      names.map((name) => {
        const data = columns[name]!;
        const named = types.get(name) === 'boolean' || categorical.has(name);
        return [name, named && data.kind === 'numeric' ? asCategory(data) : data];
      }),
    ),
  };
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
  const columns = synthetic.columns.filter(
    ({ name, type }) => !exclude.includes(name) && type !== 'other' && type !== 'vector',
  );
  for (const [input, reader] of Object.entries(real)) {
    const given = new Map(reader.columns.map(({ name, type }) => [name, type]));
    const missing = columns.filter(({ name, type }) => !alike(type, given.get(name)));
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
const alike = (a: string, b: string | undefined): boolean =>
  a === b || (NUMBERS.includes(a) && NUMBERS.includes(b ?? ''));

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

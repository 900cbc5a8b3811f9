import { ident } from './sql.ts';
import type { Column } from './types.ts';
import { memoryKind } from './values.ts';

// SQL for what is asked of every column.

export const isFloat = ({ physical }: Pick<Column, 'physical'>): boolean =>
  physical === 'DOUBLE' || physical === 'FLOAT';

/** Columns whose values are numbers or points in time. */
export const isNumeric = (column: Column): boolean => memoryKind(column) === 'numeric' && column.type !== 'boolean';

/** Columns with a smallest and a largest value worth telling. */
export const isOrdered = (column: Column): boolean =>
  isNumeric(column) || column.type === 'bigint' || column.type === 'decimal';

/** The cell where it is finite, else NULL. */
export const finiteOf = (column: Column): string => {
  const c = ident(column.name);
  return isFloat(column) ? `(CASE WHEN isfinite(${c}) THEN ${c} END)` : c;
};

/** Number of cells that are NULL or NaN. */
export const missingIn = (column: Column): string => {
  const c = ident(column.name);
  return `count_if(${c} IS NULL${isFloat(column) ? ` OR isnan(${c})` : ''})`;
};

/** Bounds of the finite cells, as text. */
export const smallestAndLargest = (column: Column): [string, string] => [
  `min(${finiteOf(column)})::VARCHAR`,
  `max(${finiteOf(column)})::VARCHAR`,
];

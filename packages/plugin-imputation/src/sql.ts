import { ident, type Column } from '@hourglass/dataset';

/** SQL that is true where a cell of `table` is missing: NULL, or NaN in a float column. */
export function isMissing(table: string, { name, physical }: Column): string {
  const cell = `${table}.${ident(name)}`;
  return physical === 'DOUBLE' || physical === 'FLOAT' ? `(${cell} IS NULL OR isnan(${cell}))` : `(${cell} IS NULL)`;
}

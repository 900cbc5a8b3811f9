import { didYouMean, HourglassError } from '@hourglass/core';
import type { Column, ColumnData } from '@hourglass/dataset';

/** @throws COLUMN_NOT_FOUND with the nearest name */
export function requireLabel(stage: string, { columns }: { columns: readonly Column[] }, label: string): void {
  const names = columns.map(({ name }) => name);
  if (names.includes(label)) return;
  const near = didYouMean(label, names);
  throw new HourglassError(
    'COLUMN_NOT_FOUND',
    `${stage}: option label names "${label}", which the table does not have${near ? `; did you mean "${near}"?` : ''} It has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? `, and ${names.length - 20} more` : ''}`,
    { details: { option: 'label', column: label } },
  );
}

/** The class of each row as text, '' where missing. */
export const classTexts = (data: ColumnData): string[] =>
  data.kind === 'numeric'
    ? Array.from(data.values, (value) => (Number.isNaN(value) ? '' : String(value)))
    : Array.from(data.codes, (code) => (code < 0 ? '' : data.categories[code]!));

/** The classes there are, numbers by size and names by letters. @throws DATA_INSUFFICIENT for fewer than two */
export function classesOf(stage: string, label: string, texts: readonly string[]): string[] {
  const classes = [...new Set(texts.filter((text) => text !== ''))];
  if (classes.length < 2)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: expected at least two classes in the label column "${label}", found ${classes.length === 1 ? `one only (${classes[0]})` : 'none'}`,
    );
  const numeric = classes.every((text) => Number.isFinite(Number(text)));
  return classes.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
}

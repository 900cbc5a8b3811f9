import type { ColumnEncoder, ColumnHead, TableEncoder } from '@hourglass/autoencoder';
import { didYouMean, HourglassError } from '@hourglass/core';
import type { Table } from '@hourglass/dataset';
import type { Comparison } from './comparisons.ts';

type Scalar = string | number | boolean;
/** A value, one of several, or a range of numbers. */
export type Condition = Scalar | Scalar[] | { min?: number; max?: number };

/**
 * Checks conditions against what the model has seen.
 * @throws OPTION_INVALID for unknown columns, values that never occurred, ranges outside of the observed one, and conditions
 *   that contradict a constraint
 */
export function checkConditions(
  stage: string,
  where: Readonly<Record<string, Condition>>,
  encoder: TableEncoder,
  comparisons: readonly Comparison[],
): void {
  const names = encoder.columns.map(({ name }) => name);
  for (const [name, condition] of Object.entries(where)) {
    const column = encoder.columns.find((each) => each.name === name);
    if (!column) {
      const near = didYouMean(name, names);
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: where: the model has not learned a column "${name}"${near ? `; did you mean "${near}"?` : `; it learned ${names.slice(0, 12).join(', ')}`}`,
        { details: { column: name } },
      );
    }
    if (column.kind === 'vector')
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: where: "${name}" holds lists of numbers, of which no value can be asked for; ask for values of other columns`,
        { details: { column: name } },
      );
    if (isRange(condition)) requireRange(stage, column, condition);
    else for (const value of [condition].flat()) requireSeen(stage, column, value);
  }
  for (const { left, right, strict, text } of comparisons) {
    const low = bound(where, left, 'min');
    const high = bound(where, right, 'max');
    if (low > high || (strict && low === high))
      throw new HourglassError(
        'OPTION_INVALID',
        `${stage}: where contradicts the constraint "${text}" the model was trained with: it asks for ${left} from ${low} and ${right} up to ${high}; no row has both`,
      );
  }
}

const isRange = (condition: Condition): condition is { min?: number; max?: number } =>
  typeof condition === 'object' && !Array.isArray(condition);

/** The least or largest value a side can have under the conditions. */
function bound(where: Readonly<Record<string, Condition>>, side: string | number, end: 'min' | 'max'): number {
  if (typeof side === 'number') return side;
  const open = end === 'min' ? -Infinity : Infinity;
  const condition = where[side];
  if (condition === undefined) return open;
  if (isRange(condition)) return condition[end] ?? open;
  return Math[end](...[condition].flat().map(Number));
}

function requireRange(
  stage: string,
  column: ColumnEncoder,
  { min = -Infinity, max = Infinity }: { min?: number; max?: number },
) {
  if (column.kind !== 'number')
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: where: ${column.name} is no number, so it has no range; ask for one of its values: ${valuesOf(column).slice(0, 12).join(', ')}`,
    );
  if (min > max || min > column.max || max < column.min)
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: where: ${column.name} from ${min} to ${max} never occurred in training, where it lies between ${column.min} and ${column.max}; ask for a range that meets it`,
      { details: { column: column.name } },
    );
}

function requireSeen(stage: string, column: ColumnEncoder, value: Scalar): void {
  if (column.kind === 'number') {
    if (typeof value === 'number') return requireRange(stage, column, { min: value, max: value });
  } else if (column.kind === 'boolean' ? typeof value === 'boolean' : valuesOf(column).includes(String(value))) return;
  const values = valuesOf(column);
  const near = didYouMean(String(value), values);
  throw new HourglassError(
    'OPTION_INVALID',
    `${stage}: where: ${column.name} = ${String(value)} never occurred in training, so no row can be drawn for it${near ? `; did you mean "${near}"?` : ''}. Values: ${values.slice(0, 12).join(', ')}${values.length > 12 ? ` and ${values.length - 12} more` : ''}`,
    { details: { column: column.name, value } },
  );
}

const valuesOf = (column: ColumnEncoder): string[] =>
  column.kind === 'category'
    ? column.categories
    : column.kind === 'boolean'
      ? ['true', 'false']
      : [`numbers from ${column.min} to ${column.max}`];

/** Whether a row meets all conditions. */
export function meets(where: Readonly<Record<string, Condition>>, table: Table): (row: number) => boolean {
  const tests = Object.entries(where).map(([name, condition]): ((row: number) => boolean) => {
    const data = table.columns[name]!;
    if (data.kind === 'category') {
      const wanted = new Set([condition as Scalar | Scalar[]].flat().map(String));
      const asked = data.categories.map((category) => wanted.has(category));
      return (row) => asked[data.codes[row]!] ?? false;
    }
    const { values } = data;
    if (isRange(condition)) {
      const { min = -Infinity, max = Infinity } = condition;
      return (row) => values[row]! >= min && values[row]! <= max;
    }
    const wanted = new Set([condition].flat().map(Number));
    return (row) => wanted.has(values[row]!);
  });
  return (row) => tests.every((test) => test(row));
}

/**
 * Values of a column, one condition each.
 * @throws OPTION_INVALID for a column with no classes
 */
export function balancedConditions(
  stage: string,
  name: string,
  encoder: TableEncoder,
  heads: readonly ColumnHead[],
): Record<string, Condition>[] {
  const at = encoder.columns.findIndex((column) => column.name === name);
  const column = encoder.columns[at];
  const values: Scalar[] =
    column?.kind === 'category'
      ? column.categories.map((value) => (column.numeric ? Number(value) : value))
      : column?.kind === 'boolean'
        ? [true, false]
        : (heads[at]?.modes?.modes ?? []).flatMap(({ low, map }) => (map ? [NaN] : [low]));
  if (values.length === 0 || values.some((value) => Number.isNaN(value)))
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: balance: expected a learned column with classes, found "${name}", ${
        column
          ? column.kind === 'vector'
            ? 'lists of numbers'
            : 'a number of many values'
          : `which the model has not learned; it learned ${encoder.columns
              .map((each) => each.name)
              .slice(0, 12)
              .join(', ')}`
      }`,
      { details: { column: name } },
    );
  return values.map((value) => ({ [name]: value }));
}

import { HourglassError } from '@hourglass/core';
import type { Column, ColumnType } from '@hourglass/dataset';
import type { TableEncoder } from './encoder.ts';
import { listed } from './fit.ts';

/** Types that may stand for one another: the values mean the same. */
const FAMILY: Partial<Record<ColumnType, string>> = {
  float: 'number',
  integer: 'number',
  bigint: 'number',
  decimal: 'number',
  date: 'time',
  timestamp: 'time',
};
const family = (type: ColumnType): string => FAMILY[type] ?? type;

/**
 * Compares a table's columns with those a model learned. Another order is fine, further columns are ignored and said.
 * @returns notices for people
 * @throws SCHEMA_MISMATCH naming every missing column and every changed type
 */
export function checkSchema(encoder: TableEncoder, columns: readonly Column[]): string[] {
  const given = new Map(columns.map((column) => [column.name, column]));
  const missing = encoder.columns.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  const changed = encoder.columns.flatMap(({ name, type }) => {
    const column = given.get(name);
    return column && family(column.type) !== family(type) ? [{ name, expected: type, found: column.physical }] : [];
  });
  const known = new Set(encoder.schema.map(({ name }) => name));
  const extra = columns.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (missing.length > 0 || changed.length > 0) {
    const lines = [
      ...(missing.length ? [`missing: ${listed(missing)}`] : []),
      ...(changed.length
        ? [
            `changed type: ${listed(changed.map(({ name, expected, found }) => `${name} (was ${expected}, is ${found})`))}`,
          ]
        : []),
      ...(extra.length ? [`not known to the model: ${listed(extra)}`] : []),
    ];
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `the table does not have the columns the model learned (${encoder.columns.length}): ${lines.join('; ')}`,
      { details: { missing, changed, extra } },
    );
  }
  return extra.length > 0 ? [`columns the model has not seen are not used: ${listed(extra)}`] : [];
}

import { didYouMean, HourglassError } from '@hourglass/core';
import type { Column, ColumnType } from '@hourglass/dataset';
import type { TableEncoder } from './encoder.ts';
import { listed } from './fit.ts';

/** Types that may stand for one another: the values mean the same. */
const FAMILY: Partial<Record<ColumnType, string>> = {
  float: 'number',
  integer: 'number',
  date: 'time',
  timestamp: 'time',
};
const family = (type: ColumnType): string => FAMILY[type] ?? type;

/**
 * Compares a table's columns with those a model learned. Another order is fine, further columns are ignored and said, and
 * so are times that had a zone in training and have none now.
 * @returns notices for people
 * @throws SCHEMA_MISMATCH naming missing columns, with those they may have become, and changed types
 */
export function checkSchema(encoder: TableEncoder, columns: readonly Column[]): string[] {
  const given = new Map(columns.map((column) => [column.name, column]));
  const missing = encoder.columns.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  const known = new Map(encoder.schema.map((column) => [column.name, column]));
  const changed = encoder.columns.flatMap(({ name, type }) => {
    const column = given.get(name);
    const before = known.get(name);
    return column && (family(column.type) !== family(type) || column.length !== before?.length)
      ? [{ name, expected: before?.length ? typeOf(before) : type, found: typeOf(column) }]
      : [];
  });
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
    const renamed = renames(missing, extra);
    if (renamed.length > 0) lines.push(`renamed? ${listed(renamed)}`);
    throw new HourglassError(
      'SCHEMA_MISMATCH',
      `the table does not have the columns the model learned (${encoder.columns.length}): ${lines.join('; ')}. ` +
        'Give it the columns it was trained with, by name and type, or train again on this table',
      { details: { missing, changed, extra } },
    );
  }
  return [
    ...(extra.length > 0 ? [`columns the model has not seen are not used: ${listed(extra)}`] : []),
    ...encoder.columns.flatMap(({ name }) => {
      const before = encoder.schema.find((column) => column.name === name)?.physical;
      const now = given.get(name)!.physical;
      return before !== now && [before, now].includes('TIMESTAMP WITH TIME ZONE')
        ? [`column "${name}" was ${before} in training and is ${now} now: times without a zone are read as UTC`]
        : [];
    }),
  ];
}

/** Types whose values no double holds keep their cells as texts. */
const typeOf = ({ type, physical, length }: Column): string =>
  type === 'vector'
    ? `vector of ${length} numbers`
    : type === 'other'
      ? `${physical} of differing lengths or with missing elements`
      : type === 'bigint' || type === 'decimal'
        ? `${physical} with values beyond double precision`
        : physical;

/** Which unknown columns the missing ones may have become; differing in case only counts as nearest. */
function renames(missing: string[], extra: string[]): string[] {
  return missing.flatMap((name) => {
    const near = didYouMean(name, extra);
    if (!near) return [];
    return [`${name} → ${near}${near.toLowerCase() === name.toLowerCase() ? ' (differs in case)' : ''}`];
  });
}

import { didYouMean, HourglassError } from '@hourglass/core';
import type { Column } from '@hourglass/dataset';

/**
 * The columns named, or all of them, without those excluded, in the table's order. Those called categorical must exist.
 * @throws COLUMN_NOT_FOUND naming stage, option and the nearest name
 * @throws DATA_INSUFFICIENT when none is left
 */
export function chooseColumns(
  stage: string,
  columns: readonly Column[],
  options: { columns?: string[]; exclude?: string[]; categorical?: string[] },
): Column[] {
  const names = columns.map(({ name }) => name);
  for (const key of ['columns', 'exclude', 'categorical'] as const)
    for (const name of options[key] ?? []) {
      if (names.includes(name)) continue;
      const near = didYouMean(name, names);
      throw new HourglassError(
        'COLUMN_NOT_FOUND',
        `${stage}: option ${key} names "${name}", which the table does not have${near ? `; did you mean "${near}"?` : ''} It has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? `, and ${names.length - 20} more` : ''}`,
        { details: { option: key, column: name } },
      );
    }
  const chosen = columns.filter(
    ({ name }) => (options.columns?.includes(name) ?? true) && !options.exclude?.includes(name),
  );
  if (chosen.length === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: options columns and exclude leave none of the ${names.length} columns; name at least one`,
    );
  return chosen;
}

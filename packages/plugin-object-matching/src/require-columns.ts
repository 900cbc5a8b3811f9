import { didYouMean, HourglassError } from '@hourglass/core';
import type { Column } from '@hourglass/dataset';

/** @throws COLUMN_NOT_FOUND naming stage, option and the nearest name */
export function requireColumns(
  stage: string,
  option: string,
  { columns }: { columns: readonly Column[] },
  wanted: readonly string[],
): void {
  const names = columns.map(({ name }) => name);
  for (const name of wanted) {
    if (names.includes(name)) continue;
    const near = didYouMean(name, names);
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `${stage}: option ${option} names "${name}", which the table does not have${near ? `; did you mean "${near}"?` : ''} It has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? `, and ${names.length - 20} more` : ''}`,
      { details: { option, column: name } },
    );
  }
}

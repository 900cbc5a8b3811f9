import { HourglassError } from '@hourglass/core';
import type { Connection } from './duckdb.ts';
import { failure } from './duckdb-error.ts';
import { text } from './sql.ts';
import type { Column } from './types.ts';

/**
 * Writes a relation as CSV: a header, `NULL` as nothing, empty text as `""`, numbers with all the digits that tell them
 * apart, dates and times as ISO 8601, instants in UTC.
 *
 * @throws COLUMN_INVALID for binary and nested columns
 */
export async function writeCsv(
  connection: Connection,
  relation: string,
  columns: Column[],
  path: string,
  where: string,
): Promise<void> {
  const bad = columns.filter(({ physical }) => /^BLOB$|[\])]$/.test(physical) && !/^(DECIMAL|ENUM)\(/.test(physical));
  if (bad.length > 0)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: CSV has no form for nested and binary columns, found ${bad.map(({ name, physical }) => `"${name}" (${physical})`).join(', ')}. Exclude them, or write Parquet or Arrow.`,
      { details: { columns: bad.map(({ name }) => name) } },
    );
  await connection
    .run(`COPY (SELECT * FROM ${relation}) TO ${text(path)} (FORMAT csv, HEADER true, DELIMITER ',')`)
    .catch((error: unknown) => {
      throw failure((error as Error).cause ?? error, 'SOURCE_INVALID', where);
    });
}

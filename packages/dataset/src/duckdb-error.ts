import { isDiskFull } from '@hourglass/artifacts';
import { HourglassError, type ErrorCode } from '@hourglass/core';

/** The first line of DuckDB's message without its class and the echo of our own SQL. */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .split(/\n\s*\n?LINE \d+:/)[0]!
    .replace(/^[A-Za-z ]+ Error: /, '')
    .trim();
}

/** What went wrong in DuckDB as an error of ours; callers that know the place say more. */
export function failure(error: unknown, code: ErrorCode = 'SOURCE_INVALID', where = 'Reading data'): HourglassError {
  if (error instanceof HourglassError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/out of memory|could not allocate/i.test(message))
    return new HourglassError(
      'OUT_OF_MEMORY',
      `${where}: the query outgrew its memory (${reason(error)}). Raise HOURGLASS_DUCKDB_MEMORY or read fewer columns.`,
      { cause: error },
    );
  if (isDiskFull(error))
    return new HourglassError('DISK_FULL', `${where}: no room left to write (${reason(error)}). Free disk space.`, {
      cause: error,
    });
  return new HourglassError(code, `${where}: ${reason(error)}`, { cause: error });
}

import { availableParallelism } from 'node:os';

import { HourglassError } from '@hourglass/core';

/**
 * Threads that native engines compute with: `HOURGLASS_THREADS`, else one. Nets of a few million operations a step are
 * slower on two threads than on one, and stages and ensemble members run side by side in processes of their own.
 *
 * @throws OPTION_INVALID
 */
export function threadCount(): number {
  const text = process.env.HOURGLASS_THREADS;
  if (text === undefined || text === '') return 1;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1024)
    throw new HourglassError(
      'OPTION_INVALID',
      `HOURGLASS_THREADS: expected a whole number from 1 to ${availableParallelism()}, the cores of this machine; found "${text}".`,
    );
  return number;
}

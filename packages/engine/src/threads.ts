import { availableParallelism } from 'node:os';

import { HourglassError } from '@hourglass/core';

/** A number of threads, or `auto`: by the size of the net that is trained. */
export type ThreadSetting = number | 'auto';

/**
 * Threads that native engines compute with: `HOURGLASS_THREADS`, else one. Nets of a few million operations a step are
 * slower on two threads than on one, and stages and ensemble members run side by side in processes of their own.
 *
 * @throws OPTION_INVALID
 */
export function threadSetting(): ThreadSetting {
  const text = process.env.HOURGLASS_THREADS;
  if (text === undefined || text === '') return 1;
  if (text === 'auto') return 'auto';
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1024)
    throw new HourglassError(
      'OPTION_INVALID',
      `HOURGLASS_THREADS: expected auto or a whole number from 1 to ${availableParallelism()}, the cores of this machine; found "${text}".`,
    );
  return number;
}

/** Multiply-adds of a step for each thread; an estimate. The large MLP (0.7·10⁹) was measured to be no faster on two. */
const WORK_PER_THREAD = 1e9;

/** More are of no use to nets that fit a processor. */
const MOST = 8;

/**
 * How many threads a step gets. With `auto` that is a matter of its multiply-adds, never of a stopwatch: the number of
 * threads may change the order of sums, and a training must give the same bytes however busy the machine is.
 *
 * @param work multiply-adds of a step
 */
export function threadsFor(work: number, setting = threadSetting(), cores = availableParallelism()): number {
  if (setting !== 'auto') return setting;
  return Math.max(1, Math.min(cores, MOST, Math.floor(work / WORK_PER_THREAD)));
}

/** The setting as part of an engine's class, where it changes last digits: nothing for one thread. */
export function threadClass(setting = threadSetting(), cores = availableParallelism()): string {
  if (setting === 1) return '';
  return setting === 'auto' ? `-auto${Math.min(cores, MOST)}threads` : `-${setting}threads`;
}

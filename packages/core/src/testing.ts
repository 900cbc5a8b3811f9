import type { HourglassError } from './error.ts';

/** For tests that read messages: `CODE message` of what a promise is rejected with, `no error` when it is not. */
export const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    ({ code, message }: HourglassError) => `${code} ${message}`,
  );

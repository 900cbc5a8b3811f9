import type { ErrorJson } from '@hourglass/core';

/** What lies behind a stage's error, line by line: its causes, and the stack of one that is not ours. */
export function causesOf({ causes = [], details }: ErrorJson): string[] {
  const stack = typeof details?.stack === 'string' ? details.stack.split('\n') : [];
  return [...causes.map((cause) => `caused by: ${cause}`), ...stack];
}

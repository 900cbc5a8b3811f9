import { HourglassError, remedyOf } from '@hourglass/core';
import type { CliContext } from '../context.ts';

/** Writes what went wrong to stderr: what, where, what to do. Causes and stacks with `--debug` only. */
export function printError(context: CliContext, thrown: unknown): void {
  const { errorColors: c, stderr } = context;
  const error = HourglassError.from(thrown, 'INTERNAL');
  stderr.write(`${c.red(c.bold('error'))} ${c.bold(error.code)} ${indented(error.message)}\n`);
  // Its own message lists line after line; the remedy would only repeat that they must be mended.
  if (error.code !== 'PIPELINE_INVALID') stderr.write(`  ${c.cyan('→')} ${remedyOf(error)}\n`);
  if (!context.debug) {
    if (error.code === 'INTERNAL') stderr.write(`  ${c.dim('--debug shows where it happened')}\n`);
    return;
  }
  for (let cause: unknown = error; cause !== undefined; cause = (cause as { cause?: unknown }).cause)
    stderr.write(c.dim(cause instanceof Error ? `${cause.stack ?? cause.message}\n` : `${String(cause)}\n`));
}

/** Lines after the first, moved under the message. */
function indented(text: string): string {
  const [first, ...rest] = text.trimEnd().split('\n');
  return [first, ...rest.map((line) => (line ? `  ${line}` : line))].join('\n');
}

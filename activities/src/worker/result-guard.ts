import { HourglassError } from '@hourglass/core/interpreter';
import { toFailure } from '@hourglass/workflows';

/** What the server takes as one payload, less what encoding adds. */
export const LARGEST_RESULT = 2 * 2 ** 20 - 4096;

/**
 * A result over the server's limit would fail after the work was done, and be tried again for ever. It fails here, once.
 * @throws an ApplicationFailure with the code RESULT_TOO_LARGE
 */
export function refuseLarge(reply: unknown, what: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(reply));
  if (bytes <= LARGEST_RESULT) return;
  const message = `${what} gave a result of ${(bytes / 2 ** 20).toFixed(1)} MiB; at most 2 MiB can be passed on. Put it into an artifact, or read less of its metrics in expressions.`;
  throw toFailure(new HourglassError('RESULT_TOO_LARGE', message, { details: { bytes } }).toJSON(), true);
}

import { HourglassError } from '@hourglass/core';
import type { EngineName } from './types.ts';

export function engineUnavailable(
  name: EngineName,
  reason: string,
  { remedy = 'Choose another engine, or auto.', cause }: { remedy?: string; cause?: unknown } = {},
): HourglassError {
  return new HourglassError('ENGINE_UNAVAILABLE', `Engine ${name} is not available: ${reason}. ${remedy}`, {
    details: { engine: name, reason, remedy },
    cause,
  });
}

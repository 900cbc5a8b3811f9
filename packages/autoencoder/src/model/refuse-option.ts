import { HourglassError } from '@hourglass/core';

/** @throws OPTION_INVALID, always */
export function refuseOption(option: string, why: string): never {
  throw new HourglassError('OPTION_INVALID', `${option}: ${why}`, { details: { option } });
}

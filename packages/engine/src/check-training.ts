import { HourglassError } from '@hourglass/core';

import { rowCount } from './training-data.ts';
import type { TrainingSpec } from './types.ts';

/**
 * What no engine can train on. @returns rows of the data
 * @throws OPTION_INVALID a learning rate or size of batches that trains nothing; CALL_INVALID data without rows
 */
export function checkTraining({ schedule, batchSize, data }: TrainingSpec): number {
  if (!(schedule.rate > 0 && Number.isFinite(schedule.rate)))
    throw new HourglassError(
      'OPTION_INVALID',
      `Learning rate: expected a number above 0, found ${schedule.rate}: nothing would be learned. 0.001 is a good start.`,
    );
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new HourglassError('OPTION_INVALID', `Batch size: expected a whole number above 0, found ${batchSize}.`);
  const rows = rowCount(data);
  if (rows === 0) throw new HourglassError('CALL_INVALID', 'There is no row to train on: expected at least one.');
  return rows;
}

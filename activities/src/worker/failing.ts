import { HourglassError } from '@hourglass/core/interpreter';
import { toFailure } from '@hourglass/workflows';

/** Errors of ours as failures that say by their type whether trying again helps. */
export async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HourglassError) throw toFailure(error.toJSON());
    throw error;
  }
}

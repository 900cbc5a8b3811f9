import { HourglassError, optionProblem, type Plan } from '@hourglass/core';
import type { Plugins } from '@hourglass/runtime';
import type { OptionChange } from './option-change.ts';

/**
 * Refuses options changed by `--with` that the stages do not have, or that cannot be so, before anything runs.
 * @throws CALL_INVALID
 */
export function checkChanges(plan: Plan, { registry }: Plugins, changes: readonly OptionChange[]): void {
  for (const { stage, option, value } of changes) {
    const problem = optionProblem(plan, registry, stage, option, value);
    if (problem !== undefined) throw new HourglassError('CALL_INVALID', `--with ${stage}.${option}: ${problem}`);
  }
}

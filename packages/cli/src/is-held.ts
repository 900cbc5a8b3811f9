import { type Plan, refuseEvent, type RunState } from '@hourglass/core';

/** Whether a stage, wherever in groups and items it is, failed and is held open: only then can it be tried again. */
export function isHeld(plan: Plan, state: RunState, path: string): boolean {
  return refuseEvent(plan, state, { type: 'retry-stage', path, at: Date.now() }) === undefined;
}

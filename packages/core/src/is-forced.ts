import { stagePathOf } from './reduce/path.ts';
import type { RunState } from './state.ts';
import type { StageTask } from './task.ts';

/** Whether the run asks for this task to be computed anew, whatever the cache holds. */
export function isForced({ force }: RunState, task: StageTask): boolean {
  return force === true || force.includes(stagePathOf(task.path));
}

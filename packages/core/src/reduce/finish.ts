import { HourglassError } from '../error.ts';
import type { RunState } from '../state.ts';
import { fresh, rootFrame } from './turn.ts';
import type { Turn } from './turn.ts';
import { resolveArtifact } from './values.ts';

/** Every stage has settled: publish if all went well, and close the run. */
export function finishRun(turn: Turn): void {
  const { state, plan } = turn;
  if (state.status !== 'running') return;
  const failed = plan.stages.find((stage) => state.stages[stage.id]!.status === 'failed');
  if (failed) {
    const { error } = state.stages[failed.id]!;
    if (error) state.error = { ...error, path: failed.id };
  }
  const cancelled = plan.stages.some((stage) => state.stages[stage.id]!.status === 'cancelled');
  if (state.cancelled || (cancelled && !failed)) {
    state.error ??= new HourglassError('CANCELLED', 'The run was cancelled.').toJSON();
    return close(turn, 'cancelled');
  }
  if (failed) return close(turn, 'failed');
  state.published = fresh(turn, {});
  if (!state.only) {
    const frame = rootFrame(turn);
    for (const [name, value] of Object.entries(plan.publish)) {
      const ref = resolveArtifact(state, frame, value);
      // Of a stage that was skipped there is nothing to publish.
      if (!ref || Array.isArray(ref)) continue;
      state.published[name] = fresh(turn, { ref, done: false });
      turn.commands.push({ type: 'publish', name, ref });
    }
  }
  if (Object.keys(state.published).length > 0) state.status = 'publishing';
  else close(turn, 'succeeded');
}

export function close(turn: Turn, status: RunState['status']): void {
  turn.state.status = status;
  turn.state.finishedAt = turn.at;
}

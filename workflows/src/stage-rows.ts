import type { Plan, RunState, StagePlan, StageState } from '@hourglass/core/interpreter';

/** One stage for people; stages inside a group follow it, when the group runs once. */
export interface StageRow {
  path: string;
  uses: string;
  status: string;
  /** What became of it: an error, a gate's figures, how far a fan-out is. */
  note?: string;
  /** Why it runs, or does not. */
  reason?: string;
  /** Milliseconds. */
  duration?: number;
  until?: number;
}

/** All stages of a run in the order of the plan. */
export function stageRows(plan: Plan, state: RunState): StageRow[] {
  return rowsOf(plan.stages, state.stages, '');
}

function rowsOf(stages: readonly StagePlan[], states: Record<string, StageState>, prefix: string): StageRow[] {
  return stages.flatMap((stage) => {
    const state = states[stage.id];
    const path = prefix + stage.id;
    const inside = stage.group && state?.body?.stages ? rowsOf(stage.group.stages, state.body.stages, `${path}.`) : [];
    return [rowOf(stage, state, path), ...inside];
  });
}

function rowOf(stage: StagePlan, state: StageState | undefined, path: string): StageRow {
  const row: StageRow = { path, uses: stage.uses ?? stage.group?.file ?? 'group', status: statusOf(state) };
  const note = noteOf(state);
  if (note !== undefined) row.note = note;
  const reason = state?.body?.reason ?? state?.reason;
  if (reason !== undefined) row.reason = reason;
  if (state?.startedAt !== undefined && state.finishedAt !== undefined)
    row.duration = state.finishedAt - state.startedAt;
  if (state?.until !== undefined) row.until = state.until;
  return row;
}

function statusOf(state: StageState | undefined): string {
  if (state === undefined) return 'waiting';
  if (state.status === 'active') return state.body?.status === 'lookup' ? 'starting' : 'running';
  if (state.status === 'approval') return 'waits for approval';
  if (state.status === 'held') return 'held open';
  return state.status === 'done' && state.cache === 'hit' ? 'cached' : state.status;
}

function noteOf(state: StageState | undefined): string | undefined {
  if (state?.error) return `${state.error.code}: ${state.error.message}`;
  if (state?.note !== undefined) return state.note;
  const { fan } = state ?? {};
  if (fan) return `${fan.done} of ${fan.total}${fan.failed > 0 ? `, ${fan.failed} failed` : ''}`;
  return undefined;
}

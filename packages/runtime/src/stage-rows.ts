import type { BodyState, ErrorJson, Output, Plan, RunState, StagePlan, StageState } from '@hourglass/core';

export type RowStatus =
  | 'waiting'
  | 'starting'
  | 'running'
  | 'backoff'
  | 'approval'
  | 'held'
  | 'cached'
  | 'done'
  | 'failed'
  | 'refused'
  | 'skipped'
  | 'blocked'
  | 'cancelled';

/** Items of a fan-out, or points of a sweep. */
export interface FanCounts {
  what: 'items' | 'points';
  total: number;
  done: number;
  failed: number;
  active: number;
  /** Of those done: taken from the cache as a whole. */
  cached: number;
  selected?: string;
}

/** One stage as people see it: the same for the live view, plain lines, JSON, the summary and `runs show`. */
export interface StageRow {
  path: string;
  /** Nesting in groups. */
  depth: number;
  title?: string;
  uses: string;
  status: RowStatus;
  /** Why it runs, was skipped, is blocked; what a gate compared. */
  reason?: string;
  note?: string;
  attempt: number;
  maxAttempts: number;
  startedAt?: number;
  finishedAt?: number;
  until?: number;
  fan?: FanCounts;
  error?: ErrorJson;
  gate?: { expression: string; passed: boolean; compared?: string };
  outputs: Record<string, Output>;
  needs: string[];
}

export const SETTLED: ReadonlySet<RowStatus> = new Set([
  'cached',
  'done',
  'failed',
  'refused',
  'skipped',
  'blocked',
  'cancelled',
]);

/** Of a run that was interrupted, these were stopped. */
export const UNDER_WAY: ReadonlySet<RowStatus> = new Set(['starting', 'running', 'backoff']);

/** Stages of a run in the order of the plan; stages of a group (without fan-out) under it. */
export function stageRows(plan: Plan, state: RunState): StageRow[] {
  return level(plan.stages, state.stages, '', 0);
}

function level(
  plans: readonly StagePlan[],
  states: Record<string, StageState>,
  prefix: string,
  depth: number,
): StageRow[] {
  return plans.flatMap((plan) => {
    const state = states[plan.id];
    const path = prefix + plan.id;
    const row = rowOf(plan, state, path, depth);
    const inside = state?.body?.stages;
    // A group that has settled is one line again.
    if (!plan.group || plan.fanOut || !inside) return [row];
    return [row, ...level(plan.group.stages, inside, `${path}.`, depth + 1)];
  });
}

function rowOf(plan: StagePlan, state: StageState | undefined, path: string, depth: number): StageRow {
  const body = state?.body;
  const fan = state?.fan;
  return {
    path,
    depth,
    title: plan.title,
    uses: plan.uses ?? plan.group?.file ?? 'group',
    status: statusOf(state, body),
    reason: body?.reason ?? state?.reason,
    note: state?.note,
    attempt: body?.attempt ?? state?.attempts ?? 0,
    maxAttempts: plan.retry.maxAttempts,
    startedAt: state?.startedAt,
    finishedAt: state?.finishedAt,
    until: body?.status === 'backoff' ? body.until : state?.until,
    fan: fan && {
      what: plan.fanOut?.kind === 'sweep' ? 'points' : 'items',
      total: fan.total,
      done: fan.done,
      failed: fan.failed,
      active: fan.active,
      cached: fan.hits,
      selected: fan.selected,
    },
    error: state?.error ?? body?.error,
    gate: plan.gate ? gateOf(plan.gate, state) : undefined,
    outputs: state?.outputs ?? {},
    needs: plan.needs,
  };
}

function statusOf(state: StageState | undefined, body: BodyState | undefined): RowStatus {
  switch (state?.status) {
    case undefined:
    case 'waiting':
      return 'waiting';
    case 'active':
      if (state.fan) return 'running';
      if (body?.status === 'backoff') return 'backoff';
      return body?.status === 'running' || body?.status === 'open' ? 'running' : 'starting';
    case 'done':
      return state?.cache === 'hit' ? 'cached' : 'done';
    case 'failed':
      return isRefused(state) ? 'refused' : 'failed';
    default:
      return state?.status ?? 'waiting';
  }
}

/** By its own gate: a gate of an item of it, or of a stage within, is a failure with that one's message. */
function isRefused(state: StageState | undefined): boolean {
  return state?.error?.code === 'GATE_FAILED' && state.outputs !== undefined;
}

function gateOf(expression: string, state: StageState | undefined): StageRow['gate'] {
  if (state?.error && isRefused(state))
    return { expression, passed: false, compared: state.note ?? state.error.message };
  return state?.status === 'done' || state?.status === 'approval'
    ? { expression, passed: true, compared: state.note }
    : undefined;
}

import { HourglassError } from '../error.ts';
import type { ErrorJson } from '../error.ts';
import { judgeGate } from '../expression/gate.ts';
import type { Json, StagePlan } from '../plan.ts';
import type { BodyState, Output, StageState, StageStatus } from '../state.ts';
import { groupStageSettled, startBody } from './body.ts';
import { startFan } from './fan.ts';
import { finishRun } from './finish.ts';
import { fresh, indexOf, pathOf, siteOf } from './turn.ts';
import type { Frame, Site, Turn } from './turn.ts';
import { contextOf, evaluate, ownValues } from './values.ts';

export const SETTLED: ReadonlySet<StageStatus> = new Set(['done', 'skipped', 'failed', 'blocked', 'cancelled']);

/** States of a level before anything has started. */
export function initialStates(stages: readonly StagePlan[]): Record<string, StageState> {
  return Object.fromEntries(stages.map((stage) => [stage.id, { status: 'waiting', pending: stage.needs.length }]));
}

/** Starts every stage of a level that waits for nothing. */
export function startLevel(turn: Turn, frame: Frame): void {
  for (const stage of frame.stages) {
    const state = frame.states[stage.id]!;
    if (state.status === 'waiting' && state.pending === 0) startStage(turn, siteOf(turn, frame, stage.id));
  }
}

/** Order inside a stage: when → fan-out → collect / select → gate → approve. */
export function startStage(turn: Turn, site: Site): void {
  const { frame, plan, state } = site;
  const { only } = turn.state;
  if (turn.state.cancelled) return settle(turn, site, 'cancelled');
  if (only && !only.includes(frame.stagePrefix + plan.id)) return settle(turn, site, 'skipped', 'not selected');
  const bad = plan.needs.find((id) => ['failed', 'blocked', 'cancelled'].includes(frame.states[id]!.status));
  if (bad !== undefined)
    return settle(
      turn,
      site,
      'blocked',
      `\`${bad}\` ${frame.states[bad]!.status === 'cancelled' ? 'was cancelled' : 'failed'}`,
    );
  const skipped = plan.needs.find((id) => frame.states[id]!.status === 'skipped');
  if (skipped !== undefined && plan.onSkipped === 'skip')
    return settle(turn, site, 'skipped', `\`${skipped}\` was skipped`);
  if (plan.when !== undefined) {
    try {
      if (evaluate(turn.state, frame, plan.when) !== true)
        return settle(turn, site, 'skipped', `when ${plan.when} is false`);
    } catch (error) {
      return failStage(turn, site, expressionError(site, 'when', plan.when, error));
    }
  }
  state.status = 'active';
  state.startedAt = turn.at;
  if (plan.fanOut) startFan(turn, site);
  else {
    const body: BodyState = fresh(turn, { status: 'queued', attempt: 1 });
    state.body = body;
    startBody(turn, { ...site, body });
  }
}

export function expressionError(
  site: Parameters<typeof pathOf>[0],
  key: string,
  text: unknown,
  error: unknown,
): ErrorJson {
  const { summary } = error as { summary?: string };
  const message = summary ?? (error instanceof Error ? error.message : String(error));
  return new HourglassError(
    'INPUT_INVALID',
    `${pathOf(site)}: \`${key}\` (${String(text)}) has no value: ${message}.`,
  ).toJSON();
}

/** The executions of a stage are through: gate, then approval. */
export function judge(turn: Turn, site: Site, outputs: Record<string, Output>, metrics: Record<string, Json>): void {
  const { frame, plan, state } = site;
  state.outputs = outputs;
  state.metrics = metrics;
  if (plan.gate !== undefined) {
    const own = ownValues(plan, state);
    const { passed, explanation } = judgeGate(plan.gate, contextOf(turn.state, frame, plan.gate, own));
    state.note = explanation;
    if (!passed) {
      const message = `The gate of \`${pathOf(site)}\` said no: ${plan.gate}. Found ${explanation}.`;
      const error = new HourglassError('GATE_FAILED', message, { details: { gate: plan.gate, explanation } });
      return failStage(turn, site, error.toJSON());
    }
  }
  if (plan.approve) {
    state.status = 'approval';
    askForApproval(turn, site);
    return;
  }
  settle(turn, site, 'done');
}

/** Asks, or asks again after the host began anew. */
export function askForApproval(turn: Turn, site: Site): void {
  const { plan, state } = site;
  const { timeout, message } = plan.approve!;
  const path = pathOf(site);
  if (timeout !== undefined) {
    state.until ??= turn.at + timeout;
    turn.commands.push({ type: 'wait', path, timer: 'approval', until: state.until });
  }
  turn.commands.push({
    type: 'ask',
    path,
    message: message ?? `Approve \`${path}\`?`,
    ...(state.until === undefined ? {} : { until: state.until }),
  });
}

export function decide(turn: Turn, site: Site, approved: boolean, by: string, reason?: string): void {
  const { state } = site;
  state.decision = { approved, by, ...(reason === undefined ? {} : { reason }) };
  delete state.until;
  if (approved) return settle(turn, site, 'done');
  const why = reason === undefined ? '' : `: ${reason}`;
  failStage(
    turn,
    site,
    new HourglassError('APPROVAL_REJECTED', `\`${pathOf(site)}\` was rejected by ${by}${why}.`).toJSON(),
  );
}

/** A person gives up a stage that is held open: it has failed as it did, and says who saw to that and why. */
export function giveUp(turn: Turn, site: Site, by: string, reason?: string): void {
  const { state } = site;
  state.decision = { approved: false, by, ...(reason === undefined ? {} : { reason }) };
  const why = reason === undefined ? '.' : `: ${reason}`;
  if (state.error) state.error = { ...state.error, message: `${state.error.message}\nGiven up by ${by}${why}` };
  settle(turn, site, 'failed');
}

/** A stage failed for good: the run is held open for a person, or goes on without it. */
export function failStage(turn: Turn, site: Site, error: ErrorJson): void {
  const { plan, state } = site;
  state.error = error;
  if (plan.onFailure && !turn.state.unattended && !turn.state.cancelled) {
    state.status = 'held';
    state.until = turn.at + plan.onFailure.wait;
    askWhileHeld(turn, site);
    return;
  }
  settle(turn, site, 'failed');
}

export function askWhileHeld(turn: Turn, site: Site): void {
  const { state } = site;
  const path = pathOf(site);
  turn.commands.push({ type: 'wait', path, timer: 'held', until: state.until! });
  turn.commands.push({
    type: 'ask',
    path,
    message: `\`${path}\` failed: ${state.error?.message ?? ''} Retry it, skip it or give it up.`,
    until: state.until!,
  });
}

/** The one place where a stage settles: dependants learn of it, then the level. */
export function settle(turn: Turn, site: Site, status: StageStatus, note?: string): void {
  const { frame, plan, state } = site;
  state.status = status;
  state.finishedAt = turn.at;
  delete state.until;
  if (note !== undefined) state.note = note;
  // Whatever led here has been taken over into outputs, metrics and error.
  if (state.body) delete state.body;
  for (const id of indexOf(frame.stages).dependants.get(plan.id)!) {
    const dependant = siteOf(turn, frame, id);
    dependant.state.pending--;
    if (dependant.state.pending === 0 && dependant.state.status === 'waiting') startStage(turn, dependant);
  }
  if (frame.owner) return groupStageSettled(turn, frame);
  turn.state.open--;
  if (turn.state.open === 0) finishRun(turn);
}

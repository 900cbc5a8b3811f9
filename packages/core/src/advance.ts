import { HourglassError } from './error.ts';
import type { RunCommand, RunEvent } from './event.ts';
import type { Json, Plan } from './plan.ts';
import { failBody, finishBody, groupParams, lookedUp, nextAttempt } from './reduce/body.ts';
import { cancelRun, cancelStage } from './reduce/cancel.ts';
import { collected } from './reduce/collect.ts';
import { listed } from './reduce/fan.ts';
import { close } from './reduce/finish.ts';
import { decide, failStage, giveUp, settle, SETTLED, startLevel, startStage } from './reduce/stage.ts';
import { locate, rootFrame, writable } from './reduce/turn.ts';
import type { Execution, Site, Turn } from './reduce/turn.ts';
import { askAgain, runReady } from './reduce/walk.ts';
import type { RunState } from './state.ts';

export interface Advanced {
  state: RunState;
  commands: RunCommand[];
}

/**
 * The reducer, the only interpreter of a Plan: applies one event and says what the host must do next.
 * Pure: the state given is not touched. An event that does not fit the state (late, repeated) changes nothing.
 */
export function advance(plan: Plan, state: RunState, event: RunEvent): Advanced {
  const next = { ...state, sequence: state.sequence + 1 };
  const turn: Turn = { plan, state: next, at: event.at, commands: [], lookups: [], fresh: new WeakSet([next]) };
  apply(turn, event);
  if (turn.lookups.length > 0) turn.commands.push({ type: 'lookup', tasks: turn.lookups });
  return { state: next, commands: turn.commands };
}

export function isClosed(state: RunState): boolean {
  return state.status === 'succeeded' || state.status === 'failed' || state.status === 'cancelled';
}

function apply(turn: Turn, event: RunEvent): void {
  const { state } = turn;
  if (event.type === 'start') {
    if (state.status !== 'new') return;
    state.status = 'running';
    state.startedAt = event.at;
    return startLevel(turn, rootFrame(turn));
  }
  if (isClosed(state) || state.status === 'new') return;
  switch (event.type) {
    case 'resumed':
      return askAgain(turn);
    case 'looked-up':
      for (const { path, answer } of event.answers) {
        const at = execution(turn, path);
        if (at?.body.status === 'lookup') lookedUp(turn, at, answer);
      }
      return;
    case 'finished':
    case 'failed': {
      const at = execution(turn, event.path);
      if (!at || at.body.status !== 'running' || at.body.attempt !== event.attempt) return;
      if (event.type === 'finished') finishBody(turn, at, event.result);
      else failBody(turn, at, event.error, event.retryable);
      return;
    }
    case 'timer':
      return timer(turn, event);
    case 'listed': {
      const at = site(turn, event.path);
      if (at?.state.fan) listed(turn, at, event.offset, event.total, event.items);
      return;
    }
    case 'collected': {
      const at = site(turn, event.path);
      if (at?.state.fan) collected(turn, at, event.page, event.outputs);
      return;
    }
    case 'list-failed':
    case 'collect-failed': {
      const at = site(turn, event.path);
      if (at?.state.fan && at.state.status === 'active') {
        delete writable(turn, at.state, 'fan').listing;
        failStage(turn, at, event.error);
      }
      return;
    }
    case 'published':
    case 'publish-failed':
      return published(turn, event);
    case 'approve':
    case 'reject': {
      const at = site(turn, event.path);
      if (at?.state.status === 'approval') decide(turn, at, event.type === 'approve', event.by, event.reason);
      if (at?.state.status === 'held' && event.type === 'reject') giveUp(turn, at, event.by, event.reason);
      return;
    }
    case 'retry-stage': {
      const at = site(turn, event.path);
      if (at?.state.status !== 'held') return;
      override(turn, at, event.options ?? {});
      for (const key of ['error', 'until', 'body', 'fan', 'outputs', 'metrics', 'note'] as const) delete at.state[key];
      return startStage(turn, at);
    }
    case 'skip-stage': {
      const at = site(turn, event.path);
      if (at && SKIPPABLE.has(at.state.status)) settle(turn, at, 'skipped', `skipped by ${event.by ?? 'a person'}`);
      return;
    }
    case 'cancel-stage': {
      const at = site(turn, event.path);
      if (!at || SETTLED.has(at.state.status)) return;
      const paths: string[] = [];
      cancelStage(turn, at, paths);
      if (paths.length > 0) turn.commands.push({ type: 'cancel', paths });
      return;
    }
    case 'pause':
      state.paused = true;
      return;
    case 'resume':
      if (!state.paused) return;
      state.paused = false;
      return runReady(turn);
    case 'cancel':
      return cancelRun(turn);
  }
}

/** Options changed by a person's retry; `train.epochs` is an option of a stage inside a group. */
function override(turn: Turn, { frame, plan, state }: Site, options: Record<string, Json>): void {
  for (const [name, value] of Object.entries(options)) {
    const dot = name.lastIndexOf('.');
    if (dot < 0) {
      state.overrides = { ...state.overrides, [name]: value };
      continue;
    }
    const path = `${frame.stagePrefix}${plan.id}.${name.slice(0, dot)}`;
    const { overrides } = turn.state;
    turn.state.overrides = { ...overrides, [path]: { ...overrides[path], [name.slice(dot + 1)]: value } };
  }
}

const SKIPPABLE: ReadonlySet<string> = new Set(['waiting', 'held', 'approval']);
const REJECTABLE: ReadonlySet<string> = new Set(['held', 'approval']);

function site(turn: Turn, path: string): Site | undefined {
  const at = locate(turn, path, (execution) => groupParams(turn, execution));
  return at && at.key === undefined ? { frame: at.frame, plan: at.plan, state: at.state } : undefined;
}

function execution(turn: Turn, path: string): Execution | undefined {
  const at = locate(turn, path, (inside) => groupParams(turn, inside));
  return at?.body && at.state.status === 'active' ? { ...at, body: at.body } : undefined;
}

function timer(turn: Turn, event: Extract<RunEvent, { type: 'timer' }>): void {
  if (event.timer === 'backoff') {
    const at = execution(turn, event.path);
    if (at?.body.status === 'backoff' && at.body.until! <= event.at) nextAttempt(turn, at);
    return;
  }
  const at = site(turn, event.path);
  if (!at || at.state.until === undefined || at.state.until > event.at) return;
  if (event.timer === 'held' && at.state.status === 'held') settle(turn, at, 'failed');
  if (event.timer === 'approval' && at.state.status === 'approval')
    decide(turn, at, at.plan.approve!.onTimeout === 'approve', 'the end of its time');
}

function published(turn: Turn, event: Extract<RunEvent, { type: 'published' | 'publish-failed' }>): void {
  const { state } = turn;
  if (state.status !== 'publishing' || !Object.hasOwn(state.published, event.name)) return;
  const all = writable(turn, state, 'published');
  const entry = writable(turn, all, event.name);
  if (entry.done) return;
  entry.done = true;
  if (event.type === 'published') entry.version = event.version;
  else state.error ??= { ...event.error, path: `publish.${event.name}` };
  if (Object.values(all).every((one) => one.done)) close(turn, state.error ? 'failed' : 'succeeded');
}

/** Why an event of a person does not fit the run now; undefined when it does. For hosts, before they accept it. */
export function refuseEvent(plan: Plan, state: RunState, event: RunEvent): HourglassError | undefined {
  const refuse = (message: string): HourglassError =>
    new HourglassError('RUN_STATE', `Run ${state.run.id}: ${message}`);
  if (isClosed(state)) return refuse(`it has ${state.status}; nothing can be changed any more.`);
  if (!('path' in event)) return undefined;
  const turn: Turn = { plan, state: { ...state }, at: event.at, commands: [], lookups: [], fresh: new WeakSet() };
  const at = site(turn, event.path);
  if (!at)
    return refuse(
      `it has no stage \`${event.path}\` under way. Its stages: ${plan.stages.map((s) => s.id).join(', ')}.`,
    );
  const { status } = at.state;
  if ((event.type === 'approve' && status !== 'approval') || (event.type === 'reject' && !REJECTABLE.has(status)))
    return refuse(`\`${event.path}\` does not wait for approval: it is ${status}.`);
  if (event.type === 'retry-stage' && status !== 'held')
    return refuse(`\`${event.path}\` is not held open after a failure (onFailure: wait): it is ${status}.`);
  if (event.type === 'skip-stage' && !SKIPPABLE.has(status))
    return refuse(`\`${event.path}\` cannot be skipped: it is ${status}.`);
  if (event.type === 'cancel-stage' && SETTLED.has(status))
    return refuse(`\`${event.path}\` has settled already: it is ${status}.`);
  return undefined;
}

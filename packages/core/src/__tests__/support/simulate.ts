import { advance, isClosed, refuseEvent } from '../../advance.ts';
import { HourglassError } from '../../error.ts';
import type { RunCommand, RunEvent } from '../../event.ts';
import type { Plan } from '../../plan.ts';
import { murmur3 } from '../../seed.ts';
import type { RunState } from '../../state.ts';
import type { StageResult, StageTask } from '../../task.ts';
import { refOf, resultOf } from './host.ts';

export type Incoming = RunEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

export interface Simulation {
  state: RunState;
  events: RunEvent[];
  /** Every run command with the state it came with. */
  runs: { path: string; attempt: number; state: RunState }[];
  /** States after each event. */
  states: RunState[];
  steps: number;
}

export function deepFreeze<T>(value: T): T {
  if (value && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}

/** mulberry32: a small seeded generator, for choices that can be replayed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Scores hang on the task alone: a run's end must not depend on the order of answers.
const scored = (task: StageTask): StageResult => resultOf(task, { loss: murmur3(task.path) / 2 ** 32 });

export interface Habits {
  /** Chances: that a stage fails for good, fails to be retried, is a HIT, is approved. */
  fails: number;
  crashes: number;
  hits: number;
  approves: number;
  /** Chance at each step of an event out of turn: pause, resume, a restart, an event that is late or repeated. */
  noise: number;
  /** Chance at each step that the run is cancelled. */
  cancels: number;
  parts: number;
}

/**
 * Plays a host that answers outstanding commands in a random order. States are frozen, and each goes through JSON before
 * the next event.
 */
export function simulate(plan: Plan, start: RunState, seed: number, habits: Habits, maxSteps = 20_000): Simulation {
  const next = random(seed);
  const chance = (p: number): boolean => next() < p;
  let state = start;
  let clock = 1_000_000;
  const outstanding: RunCommand[] = [];
  const result: Simulation = { state, events: [], runs: [], states: [], steps: 0 };
  const send = (event: Incoming): void => {
    clock += 1;
    const full = { ...event, at: clock } as RunEvent;
    const before = deepFreeze(JSON.parse(JSON.stringify(state)) as RunState);
    const advanced = advance(plan, before, full);
    state = deepFreeze(advanced.state);
    result.events.push(full);
    result.states.push(state);
    for (const command of advanced.commands) {
      if (command.type === 'run') result.runs.push({ path: command.task.path, attempt: command.task.attempt, state });
      if (command.type === 'cancel') {
        for (const path of command.paths) {
          const at = outstanding.findIndex((c) => c.type === 'run' && c.task.path === path);
          if (at < 0) continue;
          const [run] = outstanding.splice(at, 1) as [Extract<RunCommand, { type: 'run' }>];
          outstanding.push({ ...run, cancelled: true } as RunCommand);
        }
      } else outstanding.push(command);
    }
  };
  send({ type: 'start' });
  while (!isClosed(state) && result.steps++ < maxSteps) {
    if (chance(habits.cancels)) send({ type: 'cancel' });
    if (chance(habits.noise)) {
      const kind = Math.floor(next() * 4);
      if (kind === 0) send({ type: 'pause' });
      else if (kind === 1) send({ type: 'resume' });
      else if (kind === 2 && result.events.length > 0) {
        const { at, ...old } = result.events[Math.floor(next() * result.events.length)]!;
        void at;
        // Only what a host may repeat: outcomes, not decisions of people.
        if (['finished', 'failed', 'looked-up', 'listed', 'collected'].includes(old.type)) send(old as Incoming);
      } else {
        outstanding.length = 0;
        send({ type: 'resumed' });
      }
      continue;
    }
    if (outstanding.length === 0) {
      if (state.paused) send({ type: 'resume' });
      if (outstanding.length === 0 && !isClosed(state)) break;
      continue;
    }
    const [command] = outstanding.splice(Math.floor(next() * outstanding.length), 1);
    answer(command!);
  }
  result.state = state;
  return result;

  function answer(command: RunCommand): void {
    switch (command.type) {
      case 'lookup':
        send({
          type: 'looked-up',
          answers: command.tasks.map((task) => ({
            path: task.path,
            answer: chance(habits.hits)
              ? { status: 'hit', key: 'k', result: scored(task) }
              : { status: 'miss', key: 'k', reason: 'first run' },
          })),
        });
        return;
      case 'run': {
        const { path, attempt } = command.task;
        if ((command as { cancelled?: boolean }).cancelled) {
          send({
            type: 'failed',
            path,
            attempt,
            error: new HourglassError('CANCELLED', 'stopped').toJSON(),
            retryable: false,
          });
        } else if (chance(habits.fails)) {
          send({
            type: 'failed',
            path,
            attempt,
            error: new HourglassError('DATA_INSUFFICIENT', 'no').toJSON(),
            retryable: false,
          });
        } else if (chance(habits.crashes)) {
          send({
            type: 'failed',
            path,
            attempt,
            error: new HourglassError('STAGE_CRASHED', 'boom').toJSON(),
            retryable: true,
          });
        } else send({ type: 'finished', path, attempt, result: scored(command.task) });
        return;
      }
      case 'wait':
        clock = Math.max(clock, command.until);
        send({ type: 'timer', path: command.path, timer: command.timer });
        return;
      case 'ask': {
        const wish: Incoming['type'][] = ['approve', 'reject', 'retry-stage', 'skip-stage', 'cancel-stage'];
        if (!chance(habits.approves)) wish.sort(() => next() - 0.5);
        for (const type of [...wish, 'retry-stage'] as const) {
          const event = { type, path: command.path, by: 'ada' } as Incoming;
          if (!refuseEvent(plan, state, { ...event, at: clock } as RunEvent)) {
            send(event);
            return;
          }
        }
        return;
      }
      case 'list': {
        const { parts } = habits;
        const items = Array.from({ length: Math.max(0, Math.min(command.limit, parts - command.offset)) }, (_, i) => {
          const key = `p${command.offset + i}`;
          return { key, ref: refOf('dataset', { key, of: command.ref.digest }) };
        });
        if (chance(habits.fails / 4))
          send({
            type: 'list-failed',
            path: command.path,
            error: new HourglassError('ARTIFACT_NOT_FOUND', 'gone').toJSON(),
          });
        else send({ type: 'listed', path: command.path, offset: command.offset, total: parts, items });
        return;
      }
      case 'collect': {
        const outputs = Object.fromEntries(
          Object.entries(command.outputs).map(([name, { kind, entries, missing }]) => [
            name,
            refOf(kind, { entries: entries.map((e) => [e.key ?? null, e.ref.digest]), missing }),
          ]),
        );
        send({ type: 'collected', path: command.path, page: command.page, outputs });
        return;
      }
      case 'publish':
        if (chance(habits.fails))
          send({
            type: 'publish-failed',
            name: command.name,
            error: new HourglassError('NAME_CONFLICT', 'taken').toJSON(),
          });
        else send({ type: 'published', name: command.name, version: 1 });
        return;
      case 'cancel':
    }
  }
}

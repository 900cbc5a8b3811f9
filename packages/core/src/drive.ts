import { advance, isClosed } from './advance.ts';
import type { ArtifactKind, ArtifactRef } from './artifact.ts';
import { HourglassError } from './error.ts';
import type { CollectEntry, PartItem, RunCommand, RunEvent } from './event.ts';
import type { Plan } from './plan.ts';
import type { RunState } from './state.ts';
import type { CacheAnswer, StageOutcome, StageTask } from './task.ts';

/** An event without its time: `drive` reads the clock when it arrives. */
export type Incoming = RunEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

/** A person's answer: approval of a stage, or what to do with one that failed and is held. */
export type Answer = Extract<Incoming, { type: 'approve' | 'reject' | 'retry-stage' | 'skip-stage' | 'cancel-stage' }>;

/** What the in-process host can do. Everything that touches the world is here. */
export interface DriveEffects {
  /** Answers in the order of the tasks. */
  lookup(tasks: StageTask[]): Promise<CacheAnswer[]>;
  /** Never rejects for a failure of the stage: that is an outcome. */
  run(task: StageTask, signal: AbortSignal): Promise<StageOutcome>;
  /** Keeps the state; called after events, one call at a time, with all events since the call before. */
  save(state: RunState, events: RunEvent[]): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  listParts(ref: ArtifactRef, offset: number, limit: number): Promise<{ total: number; items: PartItem[] }>;
  /**
   * One artifact of many: datasets one after another, metrics as a record by key. Entries without a key are
   * collections of the same kind made before. `missing`: keys of items that failed, for the dataset's ref.
   */
  collect(kind: ArtifactKind, entries: CollectEntry[], missing: string[]): Promise<ArtifactRef>;
  publish(name: string, ref: ArtifactRef): Promise<{ version: number }>;
  /** Asks a person; undefined when nobody can be asked from here, or the answer will come another way (`subscribe`). */
  ask?(command: Extract<RunCommand, { type: 'ask' }>, signal: AbortSignal): Promise<Answer | undefined>;
  /** Events from outside: approvals, pause, cancel. Returns what ends the subscription. */
  subscribe?(send: (event: Incoming) => void): () => void;
  /** Sees every event with the state after it. */
  onEvent?(event: RunEvent, state: RunState): void;
}

export interface DriveOptions {
  /** Interrupts: running stages are stopped, and the state returned can be driven on. */
  signal?: AbortSignal;
  /** Ends in order: what runs is waited for, nothing more is started, and the state returned can be driven on. */
  drain?: AbortSignal;
  /** Stages that run side by side. @default Infinity: the host limits itself */
  maxParallel?: number;
}

export interface Driven {
  state: RunState;
  /** `stalled`: a person is needed, and there is no way to reach one from here. */
  ended: 'closed' | 'interrupted' | 'stalled';
}

/**
 * Hosts the reducer in this process: turns commands into effects and their outcomes into events, until the run closes.
 * A state that a crash left behind is driven on: what was running is looked up, and run again where it must.
 * @throws what `save`, `lookup` throw: without them the run cannot go on
 */
export async function drive(
  plan: Plan,
  start: RunState,
  effects: DriveEffects,
  options: DriveOptions = {},
): Promise<Driven> {
  const { signal, drain, maxParallel = Infinity } = options;
  if (isClosed(start)) return { state: start, ended: 'closed' };
  let state = start;
  const inbox: RunEvent[] = [];
  let unsaved: RunEvent[] = [];
  const waiting: StageTask[] = [];
  const running = new Map<string, AbortController>();
  const work = new Set<Promise<void>>();
  // Clocks and people: waited for while the run goes on, never for its end.
  const patience = new Set<Promise<void>>();
  /** Ends of the times of approvals, by stage. */
  const deadlines = new Map<string, Promise<void>>();
  const sleeping = new AbortController();
  let wake: () => void = () => {};
  let failure: { error: unknown } | undefined;
  let saving: Promise<void> | undefined;

  const send = (event: Incoming): void => {
    inbox.push({ ...event, at: effects.now() } as RunEvent);
    wake();
  };
  const track = (promise: Promise<void>, among = work): Promise<void> => {
    const tracked = promise
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        among.delete(tracked);
        wake();
      });
    among.add(tracked);
    return tracked;
  };
  const interrupted = (): boolean => signal?.aborted === true || failure !== undefined;
  const draining = (): boolean => drain?.aborted === true;

  const startRuns = (): void => {
    while (waiting.length > 0 && running.size < maxParallel && !interrupted() && !draining()) {
      const task = waiting.shift()!;
      const controller = new AbortController();
      running.set(task.path, controller);
      track(
        effects
          .run(task, controller.signal)
          .catch((error: unknown): StageOutcome => {
            const at = new Date(effects.now()).toISOString();
            const known = HourglassError.from(error, 'INTERNAL');
            return {
              ok: false,
              error: known.toJSON(),
              retryable: false,
              occasion: { startedAt: at, finishedAt: at, cache: 'off' },
            };
          })
          .then((outcome) => {
            if (running.get(task.path) === controller) running.delete(task.path);
            const { path, attempt } = task;
            if (outcome.ok) send({ type: 'finished', path, attempt, result: outcome.result });
            // Stopped by an interrupt, not by the run: it is still to be done.
            else if (!(interrupted() && outcome.error.code === 'CANCELLED'))
              send({ type: 'failed', path, attempt, error: outcome.error, retryable: outcome.retryable });
          }),
      );
    }
  };

  const execute = (command: RunCommand): void => {
    switch (command.type) {
      case 'lookup':
        track(
          effects.lookup(command.tasks).then((answers) => {
            send({
              type: 'looked-up',
              answers: command.tasks.map((task, i) => ({ path: task.path, answer: answers[i]! })),
            });
          }),
        );
        return;
      case 'run':
        waiting.push(command.task);
        return;
      case 'cancel':
        for (const path of command.paths) {
          running.get(path)?.abort(new HourglassError('CANCELLED', `\`${path}\` was cancelled.`));
          const at = waiting.findIndex((task) => task.path === path);
          if (at < 0) continue;
          const [task] = waiting.splice(at, 1);
          const error = new HourglassError('CANCELLED', `\`${path}\` was cancelled.`).toJSON();
          send({ type: 'failed', path, attempt: task!.attempt, error, retryable: false });
        }
        return;
      case 'wait': {
        const { path, timer, until } = command;
        const left = until - effects.now();
        const clock = track(
          effects.sleep(Math.max(0, left), sleeping.signal).then(
            () => send({ type: 'timer', path, timer }),
            (error: unknown) => {
              if (!sleeping.signal.aborted) throw error;
            },
          ),
          patience,
        );
        if (timer === 'approval' && left > 0) deadlines.set(path, clock);
        return;
      }
      case 'ask':
        // Whoever answers from elsewhere looks at what is saved: the question must be there by then.
        if (effects.ask)
          track(
            Promise.resolve()
              .then(() => saving)
              .then(() => effects.ask!(command, sleeping.signal))
              .then(
                (answer) => {
                  if (answer) send(answer);
                  // Nobody can say yes from here: its end alone is not waited for either.
                  else patience.delete(deadlines.get(command.path)!);
                },
                (error: unknown) => {
                  if (!sleeping.signal.aborted) throw error;
                },
              ),
            patience,
          );
        return;
      case 'list': {
        const { path, ref, offset, limit } = command;
        track(
          effects.listParts(ref, offset, limit).then(
            ({ total, items }) => send({ type: 'listed', path, offset, total, items }),
            (error: unknown) => send({ type: 'list-failed', path, error: HourglassError.from(error).toJSON() }),
          ),
        );
        return;
      }
      case 'collect': {
        const { path, page, outputs } = command;
        const all = Object.entries(outputs).map(
          async ([name, { kind, entries, missing }]) => [name, await effects.collect(kind, entries, missing)] as const,
        );
        track(
          Promise.all(all).then(
            (refs) => send({ type: 'collected', path, page, outputs: Object.fromEntries(refs) }),
            (error: unknown) => send({ type: 'collect-failed', path, error: HourglassError.from(error).toJSON() }),
          ),
        );
        return;
      }
      case 'publish': {
        const { name, ref } = command;
        track(
          effects.publish(name, ref).then(
            ({ version }) => send({ type: 'published', name, version }),
            (error: unknown) => send({ type: 'publish-failed', name, error: HourglassError.from(error).toJSON() }),
          ),
        );
      }
    }
  };

  // One save at a time; what happens meanwhile is saved together by the next one. Awaiting `saving` is awaiting all of it.
  const saveAll = async (): Promise<void> => {
    try {
      while (unsaved.length > 0) {
        const events = unsaved;
        unsaved = [];
        await effects.save(state, events);
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      saving = undefined;
      wake();
    }
  };
  const save = (): void => {
    if (unsaved.length > 0) saving ??= saveAll();
  };

  const apply = (): void => {
    for (let event = inbox.shift(); event; event = inbox.shift()) {
      const advanced = advance(plan, state, event);
      state = advanced.state;
      unsaved.push(event);
      effects.onEvent?.(event, state);
      for (const command of advanced.commands) execute(command);
    }
    startRuns();
    save();
  };

  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);
  drain?.addEventListener('abort', onAbort);
  const unsubscribe = effects.subscribe?.(send);
  let ended: Driven['ended'] = 'closed';
  try {
    send(state.status === 'new' ? { type: 'start' } : { type: 'resumed' });
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      apply();
      if (isClosed(state)) break;
      if (interrupted() || (draining() && work.size === 0 && inbox.length === 0)) {
        ended = 'interrupted';
        break;
      }
      if (work.size === 0 && patience.size === 0 && waiting.length === 0 && inbox.length === 0 && !effects.subscribe) {
        ended = 'stalled';
        break;
      }
      await woken;
    }
    sleeping.abort();
    for (const controller of running.values())
      controller.abort(new HourglassError('CANCELLED', 'The run was interrupted.'));
    while (work.size > 0) await Promise.all(work);
    // What finished while the rest was stopped counts.
    if (ended !== 'closed') {
      waiting.length = 0;
      apply();
      while (work.size > 0) await Promise.all(work);
    }
    await saving;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    drain?.removeEventListener('abort', onAbort);
    unsubscribe?.();
  }
  if (failure) throw failure.error;
  return { state, ended: isClosed(state) ? 'closed' : ended };
}

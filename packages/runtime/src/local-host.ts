import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isUri, type Store } from '@hourglass/artifacts';
import {
  type Answer,
  bind,
  type BindOptions,
  canonicalJson,
  drive,
  HourglassError,
  type Incoming,
  isForced,
  type PinnedName,
  type Plan,
  type ProgressEvent,
  type RunCommand,
  type RunEvent,
  type RunState,
  type StageTask,
} from '@hourglass/core';
import { engineIdentity } from '@hourglass/engine';
import { collect, listParts } from './collections.ts';
import type { Plugins } from './discover.ts';
import { resumable } from './resume.ts';
import { createRun, readRun, runFolder, type RunFolder } from './run-folder.ts';
import { lockFolder } from './folder-lock.ts';
import type { RunHeader, RunOccasion, RunRecord, RunSource } from './run-record.ts';
import type { Runner, StageLog, StageStart } from './runner.ts';

export interface RunPipelineOptions extends Omit<BindOptions, 'runId' | 'scheduledAt' | 'names'> {
  plan: Plan;
  store: Store;
  runner: Runner;
  plugins: Plugins;
  /** Folder of the pipeline file. */
  baseDir: string;
  /** Folder that relative destinations resolve against. */
  outDir: string;
  source?: RunSource;
  /** ISO 8601. @default now */
  scheduledAt?: string;
  /** Stages under way at once; stage processes are limited by the machine's slots besides. @default no limit */
  maxParallel?: number;
  /** Continue an interrupted run of the same work. @default true */
  resume?: boolean;
  /** Aborting interrupts: stages save their checkpoints, and running the same again continues. */
  signal?: AbortSignal;
  /** The run has its id and is about to start, or to continue. */
  onBegin?(header: RunHeader, state: RunState): void;
  onEvent?(event: RunEvent, state: RunState): void;
  onStart?(start: StageStart): void;
  onProgress?(event: ProgressEvent): void;
  onLog?(log: StageLog): void;
  /** Asks a person; undefined when the answer comes by `subscribe`. */
  ask?(command: Extract<RunCommand, { type: 'ask' }>, signal: AbortSignal): Promise<Answer | undefined>;
  subscribe?(send: (event: Incoming) => void): () => void;
}

/**
 * The local host: drives a pipeline to its end in this process, with records under `<store>/runs/<id>/`.
 * @throws PARAM_INVALID, NAME_NOT_FOUND, CALL_INVALID before anything runs; RUN_STATE when another process drives the same run; what the store throws
 */
export async function runPipeline(options: RunPipelineOptions): Promise<RunRecord> {
  const { plan, store, runner } = options;
  const begun = await begin(options);
  const { folder, unlock } = begun;
  let { state } = begun;
  const place = {
    pipeline: plan.name,
    runId: state.run.id,
    baseDir: resolve(options.baseDir),
    outDir: resolve(options.outDir),
  };
  try {
    options.onBegin?.(folder.header, state);
    const occasion = async (
      task: StageTask,
      facts: Omit<RunOccasion, 'path' | 'sinks'>,
      sinks?: Record<string, string>,
    ): Promise<void> => {
      const written =
        sinks &&
        (await Promise.all(Object.entries(sinks).map(([uri, digest]) => writtenSink(uri, digest, place.outDir))));
      folder.append([{ occasion: { path: task.path, ...facts, ...(written ? { sinks: written } : {}) } }]);
    };
    const driven = await drive(
      plan,
      state,
      {
        async lookup(tasks) {
          const answers = await runner.lookup(tasks, place, { remember: true });
          const at = new Date().toISOString();
          for (const [i, answer] of answers.entries())
            if (answer.status === 'hit')
              await occasion(tasks[i]!, { startedAt: at, finishedAt: at, cache: 'hit' }, answer.result.sinks);
          return answers;
        },
        async run(task, signal) {
          const outcome = await runner.run(task, place, {
            signal,
            force: isForced(state, task),
            onStart: options.onStart,
            onProgress: options.onProgress,
            onLog(log) {
              if (log.level === 'warn')
                folder.append([{ warning: { path: log.path, message: log.message, at: new Date().toISOString() } }]);
              options.onLog?.(log);
            },
          });
          await occasion(task, outcome.occasion, outcome.ok ? outcome.result.sinks : undefined);
          return outcome;
        },
        async save(next, events) {
          state = next;
          folder.append(events.map((event) => ({ event })));
          await folder.share();
        },
        now: Date.now,
        sleep: (ms, signal) => sleep(ms, undefined, { signal }),
        listParts: (ref, offset, limit) => listParts(store.artifacts, ref, offset, limit),
        collect: (kind, entries, missing) => collect(store.artifacts, kind, entries, missing),
        publish: (name, ref) => store.names.publish(name, ref, { run: place.runId }),
        ...(options.ask ? { ask: options.ask } : {}),
        ...(options.subscribe ? { subscribe: options.subscribe } : {}),
        ...(options.onEvent ? { onEvent: options.onEvent } : {}),
      },
      { signal: options.signal, maxParallel: options.maxParallel },
    );
    state = driven.state;
    const status = {
      closed: state.status as 'succeeded' | 'failed' | 'cancelled',
      interrupted: 'interrupted' as const,
      stalled: 'waiting' as const,
    }[driven.ended];
    await folder.saveHeader({
      ...folder.header,
      status,
      finishedAt: new Date().toISOString(),
      ...(state.error ? { error: state.error } : {}),
    });
    return await readRun(store, place.runId);
  } finally {
    folder.close();
    await unlock();
  }
}

/** Continues the newest interrupted run of the same work, or makes a new one. */
async function begin(
  options: RunPipelineOptions,
): Promise<{ folder: RunFolder; state: RunState; unlock: () => Promise<void> }> {
  const { plan, store, resume = true } = options;
  const startedAt = new Date();
  const names = await pinnedNames(plan, store);
  const id = runId(plan.name, startedAt);
  const scheduledAt = options.scheduledAt ?? startedAt.toISOString();
  const state = bind(plan, { ...bindOptions(options), runId: id, scheduledAt, names });
  const identity = identityOf(options, state);
  if (resume) {
    const found = await resumable(options, identity);
    if (found !== undefined) {
      const header: RunHeader = { ...found.header, status: 'running', resumed: found.header.resumed + 1 };
      delete header.finishedAt;
      delete header.error;
      const folder = runFolder(store, header);
      await folder.saveHeader(header);
      return { folder, state: found.state, unlock: found.unlock };
    }
  }
  const header: RunHeader = {
    id,
    pipeline: plan.name,
    ...(plan.title ? { title: plan.title } : {}),
    status: 'running',
    startedAt: startedAt.toISOString(),
    resumed: 0,
    params: state.params,
    names,
    seed: state.seed,
    engine: { asked: state.engine, ...(await engineHere(options, state)) },
    baseDir: resolve(options.baseDir),
    outDir: resolve(options.outDir),
    ...(options.source ? { source: options.source } : {}),
    identity,
  };
  const folder = await createRun(store, header, plan, state);
  const unlock = await lockFolder(folder.path);
  if (unlock === undefined) {
    folder.close();
    throw new HourglassError('RUN_STATE', `Run ${id} is driven by another process already.`);
  }
  return { folder, state, unlock };
}

function bindOptions(options: RunPipelineOptions): Omit<BindOptions, 'runId' | 'scheduledAt'> {
  const { partition, params, seed, engine, only, from, force, overrides, unattended } = options;
  return { partition, params, seed, engine, only, from, force, overrides, unattended };
}

/** What two runs must have in common for one to continue the other. */
function identityOf(options: RunPipelineOptions, state: RunState): string {
  const { params, seed, engine, names, only, force, overrides, unattended } = state;
  const identity = {
    plan: options.plan,
    params,
    seed,
    engine,
    names,
    only: only ?? [],
    force,
    overrides,
    unattended,
    scheduledAt: options.scheduledAt ?? '',
    partition: options.partition ?? '',
    baseDir: resolve(options.baseDir),
    outDir: resolve(options.outDir),
  };
  return createHash('sha256').update(canonicalJson(identity)).digest('hex');
}

/** Names the plan reads, as they stand now: pinned for the whole run. */
export async function pinnedNames(plan: Plan, store: Store): Promise<Record<string, PinnedName>> {
  const pinned: Record<string, PinnedName> = {};
  for (const { name, optional } of plan.names) {
    try {
      const { version, ref } = await store.names.resolve(name);
      pinned[name] = { version, ref };
    } catch (error) {
      if (!optional || !(error instanceof HourglassError) || error.code !== 'NAME_NOT_FOUND') throw error;
    }
  }
  return pinned;
}

async function engineHere(
  { plan, plugins }: RunPipelineOptions,
  state: RunState,
): Promise<{ name?: string; class?: string }> {
  const uses = JSON.stringify(plan.stages);
  const computes = [...plugins.registry.values()]
    .flatMap((plugin) => Object.values(plugin.stages))
    .some((stage) => stage.resources?.engine && uses.includes(`"uses":"${stage.id}"`));
  if (!computes) return {};
  const { name, class: engineClass } = await engineIdentity(state.engine as Parameters<typeof engineIdentity>[0]);
  return { name, class: engineClass };
}

/** Sortable by time and readable: `20261124-045612-wdbc_imputation-k3f9`. */
function runId(pipeline: string, at: Date): string {
  const [day, time] = at.toISOString().split('T') as [string, string];
  const random = Math.floor(Math.random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  return `${day.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${pipeline}-${random}`;
}

async function writtenSink(
  uri: string,
  digest: string,
  outDir: string,
): Promise<NonNullable<RunOccasion['sinks']>[number]> {
  // Object storage keeps its own address.
  if (isUri(uri)) return { uri, path: uri, digest };
  const path = resolve(outDir, uri);
  const info = await stat(path).catch(() => undefined);
  return { uri, path, digest, ...(info?.isFile() ? { bytes: info.size } : {}) };
}

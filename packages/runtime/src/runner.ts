import { cacheKey, explainMiss, type Store } from '@hourglass/artifacts';
import {
  type CacheAnswer,
  ERROR_CODES,
  type ErrorJson,
  HourglassError,
  type ProgressEvent,
  type RunPlace,
  type StageOccasion,
  type StageOutcome,
  type StageTask,
} from '@hourglass/core';
import { awaitSlot } from './await-slot.ts';
import type { Plugins } from './discover.ts';
import { findResult } from './find-result.ts';
import { mapLimited } from './map-limited.ts';
import type { Job } from './messages.ts';
import { parallelItems } from './parallel-items.ts';
import { type PreparedTask, prepareTask } from './prepare-task.ts';
import { machineSlots, type Slots } from './slots.ts';
import { checkOutputs } from './stage-outputs.ts';
import { stagePool } from './stage-pool.ts';
import { type StageSlot, stageSlot } from './stage-slot.ts';
import { cancellation, supervise } from './supervise.ts';

export interface RunnerOptions {
  store: Store;
  plugins: Plugins;
  /** @default the machine-wide slots of this user, one a core (`HOURGLASS_SLOTS`) */
  slots?: Slots;
  /** Time a cancelled or overdue stage has to save a checkpoint and leave, in milliseconds. @default 5000 */
  graceMs?: number;
  /** Limit of a stage that declares none, in MiB. @default 4096 */
  memoryMiB?: number;
  /** Further environment of stage processes. */
  env?: Record<string, string | undefined>;
}

export interface StageLog {
  path: string;
  level: 'info' | 'warn';
  message: string;
}

export interface StageStart {
  path: string;
  pid: number;
  /** Cache key: names the checkpoint slot as well. */
  key: string;
}

export interface RunOptions {
  signal?: AbortSignal;
  onProgress?(event: ProgressEvent): void;
  onLog?(log: StageLog): void;
  /** The stage got its slot and process and begins now. */
  onStart?(start: StageStart): void;
  /** Compute even when there is a result, and let the new one replace it. @default false */
  force?: boolean;
}

export interface LookupOptions {
  /** A hit is a use: the next miss is explained by what differs from it. @default false */
  remember?: boolean;
}

/** Runs stages for a host: cache, processes, slots, checks. Knows no pipeline. */
export interface Runner {
  /** Cached results of many tasks, without running anything or waiting for a slot. Never rejects for a single task. */
  lookup(tasks: StageTask[], place: RunPlace, options?: LookupOptions): Promise<CacheAnswer[]>;
  /** One attempt. Failures are outcomes, not rejections. */
  run(task: StageTask, place: RunPlace, options?: RunOptions): Promise<StageOutcome>;
  /** Stage processes alive. */
  pids(): number[];
  /** Ends all stage processes. */
  close(): Promise<void>;
}

const DEFAULT_MEMORY_MIB = 4096;
const LOOKUPS_AT_ONCE = 16;

export function createRunner(options: RunnerOptions): Runner {
  const { store, plugins, graceMs = 5000, memoryMiB = DEFAULT_MEMORY_MIB } = options;
  const slots = options.slots ?? machineSlots();
  const pool = stagePool({ maxIdle: slots.count, env: options.env });
  const prepare = (task: StageTask, place: RunPlace): Promise<PreparedTask> => prepareTask(task, place, plugins, store);

  /** Stages of this runner that hold a slot. */
  let busy = 0;

  return {
    lookup: (tasks, place, { remember: remembering = false } = {}) =>
      mapLimited(tasks, LOOKUPS_AT_ONCE, async (task): Promise<CacheAnswer> => {
        let key = '';
        try {
          const prepared = await prepare(task, place);
          key = prepared.key;
          if (!task.cache) return { status: 'miss', key, reason: 'cache: false' };
          const found = await findResult(prepared, store);
          if (found.status === 'hit') {
            if (remembering) await rememberUse(prepared, place);
            return { ...found, key };
          }
          const reason = found.reason ?? explainMiss(prepared.parts, await store.cache.last(place.pipeline, task.path));
          return { status: 'miss', key, reason };
        } catch (error) {
          const problem = HourglassError.from(error, 'INTERNAL').toJSON();
          return { status: 'miss', key, reason: problem.message, problem };
        }
      }),

    async run(task, place, runOptions = {}) {
      const startedAt = new Date().toISOString();
      const occasion = (rest: Partial<StageOccasion> = {}): StageOccasion => ({
        startedAt,
        finishedAt: new Date().toISOString(),
        cache: task.cache ? 'miss' : 'off',
        ...rest,
      });
      const failure = (error: ErrorJson, rest: Partial<StageOccasion> = {}): StageOutcome => ({
        ok: false,
        error,
        retryable: ERROR_CODES[error.code].retryable,
        occasion: occasion(rest),
      });
      let slot: StageSlot | undefined;
      try {
        slot = stageSlot(slots, await awaitSlot(slots, task.path, { ...runOptions, idle: () => busy === 0 }));
        busy++;
        const prepared = await prepare(task, place);
        // Another run may have finished the same work while this one waited for its slot.
        const found = task.cache ? await findResult(prepared, store) : undefined;
        if (found?.status === 'hit' && !runOptions.force) {
          await remember(store, place, prepared);
          return { ok: true, result: found.result, occasion: occasion({ cache: 'hit' }) };
        }
        const checkpoints = new Set([prepared.key]);
        const supervised = await inProcess(prepared, place, runOptions, slot, checkpoints);
        const facts: Partial<StageOccasion> = { pid: supervised.pid, peakMemory: supervised.peakMemory };
        if (!supervised.ok) return failure(supervised.error, facts);
        if (supervised.engine !== undefined) facts.engine = supervised.engine;
        let result = await checkOutputs(task.path, prepared.manifest, supervised.value, store.artifacts);
        if (prepared.sinks.size > 0) result.sinks = await sinkDigests(prepared, store);
        if (task.cache && (await sourcesUnchanged(prepared))) {
          const replace = runOptions.force === true || (found?.status === 'miss' && found.reason !== undefined);
          const record = { key: prepared.key, parts: prepared.parts, result };
          const [kept] = await Promise.all([store.cache.put(record, { replace }), remember(store, place, prepared)]);
          result = kept.result;
        } else if (task.cache)
          runOptions.onLog?.({
            path: task.path,
            level: 'warn',
            message: 'A source changed while the stage ran; its result is not kept for other runs.',
          });
        if (prepared.manifest.resources?.checkpoint)
          for (const key of checkpoints) await store.checkpoint(key, task.attempt, place.runId).remove();
        return { ok: true, result, occasion: occasion(facts) };
      } catch (error) {
        if (runOptions.signal?.aborted) return failure(cancellation(runOptions.signal, task.path));
        return failure(HourglassError.from(error).toJSON());
      } finally {
        if (slot !== undefined) busy--;
        slot?.end();
      }
    },

    pids: () => pool.pids(),
    close: () => pool.close(),
  };

  async function inProcess(
    prepared: PreparedTask,
    place: RunPlace,
    runOptions: RunOptions,
    slot: StageSlot,
    checkpoints: Set<string>,
  ) {
    const { task, plugin } = prepared;
    const job: Job = {
      module: plugin.stageModule(task.uses),
      export: 'run',
      call: { kind: 'stage', inputs: task.inputs, options: prepared.options },
      path: task.path,
      seed: task.seed,
      engine: prepared.engine,
      store: store.location,
      checkpoint: { key: prepared.key, attempt: fence(), owner: place.runId },
      place: { baseDir: prepared.baseDir, outDir: place.outDir },
      version: prepared.code.version,
    };
    const memory = task.resources.memory ?? prepared.manifest.resources?.memory ?? memoryMiB;
    const stageProcess = await pool.acquire(job, memory);
    runOptions.onStart?.({ path: task.path, pid: stageProcess.pid, key: prepared.key });
    const { result, reusable } = await supervise(stageProcess, job, {
      signal: runOptions.signal,
      timeout: task.timeout,
      memoryMiB: memory,
      graceMs,
      onProgress: ({ fraction, message, metrics }) =>
        runOptions.onProgress?.({ path: task.path, fraction, message, metrics }),
      onLog: (level, message) => runOptions.onLog?.({ path: task.path, level, message }),
      parallel: (call) =>
        parallelItems(call, { job, plugin, task, memory, graceMs, slots, pool, slot, checkpoints, runOptions }),
    });
    pool.release(stageProcess, reusable ? 'reusable' : 'replace');
    return result;
  }

  async function sinkDigests(prepared: PreparedTask, { digestOfDestination }: Store): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const [uri, path] of prepared.sinks) {
      const digest = await digestOfDestination(path);
      if (digest === undefined)
        throw new HourglassError(
          'OUTPUT_INVALID',
          `Stage ${prepared.task.path} (${prepared.task.uses}) declares the destination ${uri} but wrote nothing to ${path}.`,
        );
      digests[uri] = digest;
    }
    return digests;
  }

  /** Only a help for people: a store that cannot be written must not turn a hit into a failure. */
  async function rememberUse(prepared: PreparedTask, place: RunPlace): Promise<void> {
    const last = await store.cache.last(place.pipeline, prepared.task.path);
    if (last === undefined || cacheKey(last) !== prepared.key)
      await remember(store, place, prepared).catch(() => undefined);
  }

  /** A result belongs to its key only if the sources still are what the key says. */
  async function sourcesUnchanged(prepared: PreparedTask): Promise<boolean> {
    for (const [uri, digest] of Object.entries(prepared.parts.sources))
      if ((await store.fingerprintSource(uri, prepared.baseDir)).digest !== digest) return false;
    return true;
  }
}

async function remember(store: Store, place: RunPlace, prepared: PreparedTask): Promise<void> {
  await store.cache.remember(place.pipeline, prepared.task.path, prepared.parts);
}

let lastFence = 0;

/**
 * Number of an attempt that grows with time, also over runs that were resumed and count their attempts anew, so that a
 * process left over from before can never overwrite the checkpoint of its successor.
 */
function fence(): number {
  return (lastFence = Math.max(lastFence + 1, Date.now()));
}

import { openStore, type Store } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { resolveEngine } from '@hourglass/engine';
import type { Job } from './messages.ts';
import type { Logger, StageContext } from './types.ts';

/** The side of a job that needs the parent: in a stage process these become messages. */
export interface JobHost {
  signal: AbortSignal;
  log: Logger;
  progress(fraction: number | undefined, message: string, metrics?: Record<string, number>): void;
  alive(): void;
  parallel(items: readonly unknown[], module: string, exported: string): Promise<unknown[]>;
}

const stores = new Map<string, Promise<Store>>();
/** Where warnings of a store go: it is opened once and outlives many jobs. */
let warn: (message: string) => void = () => {};

/** Runs a stage's `run`, or one item of `ctx.parallel`, with a context made from the job. */
export async function executeJob(job: Job, host: JobHost): Promise<{ value: unknown; engine?: string }> {
  warn = host.log.warn.bind(host.log);
  let store = stores.get(job.store);
  if (store === undefined) stores.set(job.store, (store = openStore(job.store, { warn: (message) => warn(message) })));
  const { artifacts, checkpoint } = await store.catch((error: unknown) => {
    stores.delete(job.store);
    throw error;
  });
  const loaded = (await import(job.module)) as Record<string, unknown>;
  const target = loaded[job.export];
  if (typeof target !== 'function')
    throw new HourglassError(
      'PLUGIN_INVALID',
      `${job.module} exports no function "${job.export}", which stage ${job.path} needs; it exports ${Object.keys(loaded).join(', ') || 'nothing'}.`,
    );
  let engine: string | undefined;
  const slot = checkpoint(job.checkpoint.key, job.checkpoint.attempt, job.checkpoint.owner);
  const context: StageContext = {
    signal: host.signal,
    seed: job.seed,
    async engine() {
      const resolved = await engineOf(job);
      engine = resolved.name;
      return resolved;
    },
    artifacts,
    log: host.log,
    progress: host.progress.bind(host),
    parallel: async <T, R>(items: readonly T[], call: { module: string; export: string }) =>
      (await host.parallel(items, call.module, call.export)) as R[],
    checkpoint: {
      load: () => slot.load(),
      async save(value) {
        await slot.save(value);
        host.alive();
      },
    },
    place: job.place,
  };
  const value: unknown =
    job.call.kind === 'stage'
      ? await target(context, job.call.inputs, job.call.options)
      : await target(job.call.item, context);
  return { value, engine };
}

async function engineOf(job: Job) {
  if (job.engine === undefined)
    throw new HourglassError(
      'PLUGIN_INVALID',
      `Stage ${job.path} asks for an engine but its manifest does not say so: set resources: { engine: true }, since the engine enters the cache key.`,
    );
  // Resolved on first use only: most stages never compute with tensors, and a tensor library takes half a second to load.
  const engine = await resolveEngine(job.engine.name as Parameters<typeof resolveEngine>[0]);
  if (engine.class !== job.engine.class)
    throw new HourglassError(
      'ENGINE_FAILED',
      `Stage ${job.path}: expected engine class ${job.engine.class}, found ${engine.class} in the stage process. Was the engine installed or removed just now? Run again.`,
    );
  return engine;
}

import type { ArtifactStore, Checkpoint } from '@hourglass/artifacts';
import type { StageInputs, StageManifest, StageOptions, StageOutputs } from '@hourglass/core';
import type { Engine } from '@hourglass/engine';

export interface Logger {
  info(message: string): void;
  /** Something a person should know: shown in the run's output and kept with the run. Never a silent fallback. */
  warn(message: string): void;
}

/**
 * Names an exported function of the stage's plugin: `{ module: './member.ts', export: 'trainMember' }`. The module is
 * relative to the plugin's `src` folder and written as a literal, so that the code version of the stage covers it.
 */
export interface ParallelCall {
  module: string;
  export: string;
}

/** What `ctx.parallel` calls: one item, in a stage process of its own. */
export type ParallelFunction<T, R> = (item: T, context: ItemContext) => Promise<R>;

/** What one item of `ctx.parallel` gets to work with. Its checkpoint slot is its own. */
export type ItemContext = Omit<StageContext, 'parallel'>;

/** What a stage's `run` gets to work with. */
export interface StageContext {
  /** Aborted on cancellation: save a checkpoint, then throw (`signal.throwIfAborted()`). */
  signal: AbortSignal;
  /** uint32. */
  seed: number;
  /** Resolves the engine on first use; only for stages with `resources.engine`. @throws ENGINE_UNAVAILABLE */
  engine(): Promise<Engine>;
  artifacts: ArtifactStore;
  log: Logger;
  /** Also the sign of life that `timeout.heartbeat` waits for. */
  progress(fraction: number | undefined, message: string, metrics?: Record<string, number>): void;
  /**
   * Spreads independent work over stage processes under the machine-wide slot count, results in order of the items.
   * The first item that fails cancels the others and is thrown.
   */
  parallel<T, R>(items: readonly T[], call: ParallelCall): Promise<R[]>;
  checkpoint: { load(): Promise<Checkpoint | undefined>; save(checkpoint: Checkpoint): Promise<void> };
  /** Folder of the pipeline file and of destinations: already applied to the options that the manifest lists as sources and sinks. */
  place: { baseDir: string; outDir: string };
}

/** The `run` export of a stage's module. */
export type StageRun<M extends StageManifest> = (
  context: StageContext,
  inputs: StageInputs<M>,
  options: StageOptions<M>,
) => Promise<StageOutputs<M>>;

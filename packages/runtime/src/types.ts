import type { ArtifactStore, Checkpoint } from '@hourglass/artifacts';
import type { StageInputs, StageManifest, StageOptions, StageOutputs } from '@hourglass/core';
import type { Engine } from '@hourglass/engine';

export interface Logger {
  info(message: string): void;
  /** Something a person should know: shown in the run's output and kept with the run. Never a silent fallback. */
  warn(message: string): void;
}

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
  progress(fraction: number | undefined, message: string, metrics?: Record<string, number>): void;
  /**
   * Spreads independent work over stage processes under the machine-wide slot count, results in order of the items.
   * `call` names an exported function of a module of the same plugin, since functions do not cross processes.
   */
  parallel<T, R>(items: readonly T[], call: { module: string; export: string }): Promise<R[]>;
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

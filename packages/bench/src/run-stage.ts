import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { Runner } from '@hourglass/runtime';

/** What a stage gave, and how long it took. */
export interface StageOutcome {
  outputs: Record<string, ArtifactRef>;
  metrics: Record<string, unknown>;
  seconds: number;
}

/** Runs one shipped stage in a stage process, as a pipeline would. @throws whatever the stage throws */
export type RunStage = (
  uses: string,
  options: Record<string, unknown>,
  inputs?: Record<string, ArtifactRef>,
  seed?: number,
) => Promise<StageOutcome>;

export const stageRunner =
  (runner: Runner, folder: string): RunStage =>
  async (uses, options, inputs = {}, seed = 7) => {
    const start = performance.now();
    const engine = process.env.HOURGLASS_ENGINE || 'auto';
    const outcome = await runner.run(
      { path: uses, uses, options, inputs, seed, engine, resources: {}, timeout: {}, cache: false, attempt: 1 },
      { pipeline: 'bench', runId: 'bench', baseDir: folder, outDir: folder },
      {},
    );
    if (!outcome.ok) throw HourglassError.fromJSON(outcome.error);
    return { ...outcome.result, seconds: (performance.now() - start) / 1000 };
  };

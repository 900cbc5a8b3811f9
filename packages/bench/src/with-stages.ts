import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import { createRunner, discoverPlugins } from '@hourglass/runtime';
import { stageRunner, type RunStage } from './run-stage.ts';

/** A store and stages of a benchmark's own, removed when the work is done. */
export async function withStages<T>(
  work: (stage: RunStage, place: { store: ArtifactStore; folder: string }) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  const store = await openStore(join(folder, 'store'));
  const runner = createRunner({ store, plugins: await discoverPlugins({ from: import.meta.dirname }) });
  try {
    return await work(stageRunner(runner, folder), { store: store.artifacts, folder });
  } finally {
    await runner.close();
    await rm(folder, { recursive: true, force: true });
  }
}

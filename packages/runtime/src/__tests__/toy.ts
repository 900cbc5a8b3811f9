import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '@hourglass/artifacts';
import type { RunPlace, StageTask } from '@hourglass/core';
import { onTestFinished } from 'vitest';
import { loadPlugin, type Plugins, pluginSet } from '../discover.ts';
import { createRunner, type Runner, type RunnerOptions } from '../runner.ts';
import { machineSlots } from '../slots.ts';

export const TOY_ROOT = fileURLToPath(new URL('../../fixtures/toy-plugin', import.meta.url));

export interface ToyPlace {
  folder: string;
  store: Store;
  plugins: Plugins;
  place: RunPlace;
  runner: Runner;
  /** Another runner on the same store, as of another program. */
  another(options?: Partial<RunnerOptions>): Runner;
}

/** A store in a temporary folder with the toy plugin, and slots of its own; removed when the test ends. */
export async function toyPlace(options: Partial<RunnerOptions> = {}): Promise<ToyPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-runtime-'));
  const store = await openStore(join(folder, 'store'));
  const plugins = pluginSet([await loadPlugin(TOY_ROOT)]);
  const runners: Runner[] = [];
  const another = (more: Partial<RunnerOptions> = {}): Runner => {
    const slots = machineSlots({ count: 2, folder: join(folder, 'slots') });
    const runner = createRunner({ store, plugins, slots, graceMs: 1000, ...options, ...more });
    runners.push(runner);
    return runner;
  };
  onTestFinished(async () => {
    await Promise.all(runners.map((runner) => runner.close()));
    await rm(folder, { recursive: true, force: true });
  });
  const place = { pipeline: 'toys', runId: 'run-1', baseDir: folder, outDir: join(folder, 'out') };
  return { folder, store, plugins, place, runner: another(), another };
}

export function task(uses: string, options: Record<string, unknown> = {}, more: Partial<StageTask> = {}): StageTask {
  return {
    path: uses.split('/')[1]!,
    uses,
    options,
    inputs: {},
    seed: 7,
    engine: 'auto',
    resources: {},
    timeout: {},
    cache: true,
    attempt: 1,
    ...more,
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef, PluginManifest, StageManifest } from '@hourglass/core';
import { openDataset, type Table } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/runtime';

import { fakeContext, type FakeContext, type FakeContextOptions } from './fake-context.ts';
import { storeTable } from './store-table.ts';

/** A plugin that learns from a table and applies what it learned to tables: which of its stages do that. */
export interface LearnerUnderTest {
  plugin: PluginManifest;
  /** Folder of its stage modules: `new URL('../', import.meta.url)` from `src/__tests__`. */
  modules: URL;
  train: {
    /** Name of the stage (`train`). It takes the dataset as input `data`. @default 'train' */
    stage?: string;
    /** Options that make it quick: a small net, few epochs. */
    options: Record<string, unknown>;
    /** Output that holds the model. @default 'model' */
    output?: string;
  };
  apply: {
    /** Name of the stage (`impute`). It takes inputs `data` and `model`. */
    stage: string;
    options?: Record<string, unknown>;
    /** Output that holds the resulting dataset. @default 'data' */
    output?: string;
  };
  /** Share of cells hidden in the tables it is given. @default 0.1 */
  missing?: number;
  /** Largest difference between values that should be equal but for the order of additions. @default 1e-4 */
  tolerance?: number;
}

/** The steps that checks are made of, on a store of their own. */
export interface Workbench {
  artifacts: ArtifactStore;
  learner: LearnerUnderTest;
  /** A dataset of the table. */
  dataset(table: Table): Promise<ArtifactRef>;
  train(data: ArtifactRef, context?: Partial<FakeContextOptions>): Promise<ArtifactRef>;
  apply(data: ArtifactRef, model: ArtifactRef, context?: Partial<FakeContextOptions>): Promise<ArtifactRef>;
  /** The rows of a dataset. */
  read(ref: ArtifactRef): Promise<Table>;
  /** Contexts used so far, for what the stages said. */
  contexts: FakeContext[];
  dispose(): Promise<void>;
}

export function manifestOf(plugin: PluginManifest, stage: string): StageManifest {
  const manifest = plugin.stages[stage];
  if (!manifest)
    throw new Error(`plugin ${plugin.name} has no stage "${stage}", only ${Object.keys(plugin.stages).join(', ')}`);
  return manifest;
}

export async function openWorkbench(learner: LearnerUnderTest): Promise<Workbench> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-conformance-'));
  const { artifacts } = await openStore(join(folder, 'store'));
  const contexts: FakeContext[] = [];

  async function run(stage: string, inputs: Record<string, ArtifactRef>, given: unknown, overrides = {}) {
    const manifest = manifestOf(learner.plugin, stage);
    const loaded = (await import(/* @vite-ignore */ await moduleUrl(learner.modules, stage))) as {
      run: StageRun<StageManifest>;
    };
    const context = fakeContext({ artifacts, modules: learner.modules, ...overrides });
    contexts.push(context);
    return loaded.run(context, inputs, manifest.options.parse(given)) as Promise<Record<string, ArtifactRef>>;
  }

  return {
    artifacts,
    learner,
    contexts,
    dataset: (table) => storeTable(artifacts, table),
    async train(data, context) {
      const { stage = 'train', options, output = 'model' } = learner.train;
      return (await run(stage, { data }, options, context))[output]!;
    },
    async apply(data, model, context) {
      const { stage, options = {}, output = 'data' } = learner.apply;
      return (await run(stage, { data, model }, options, context))[output]!;
    },
    read: async (ref) => (await openDataset(artifacts, ref)).table(),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** `train` is `train.ts` in sources, `train.js` in a built package. */
async function moduleUrl(modules: URL, stage: string): Promise<string> {
  const { existsSync } = await import('node:fs');
  const source = new URL(`./${stage}.ts`, modules);
  return existsSync(source) ? source.href : new URL(`./${stage}.js`, modules).href;
}

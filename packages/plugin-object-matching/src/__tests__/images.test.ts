import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runIndex } from '../build-index.ts';
import { run as runEvaluate } from '../evaluate.ts';
import * as stages from '../index.ts';
import { run as runTrain } from '../train.ts';
import { digits } from './support/digits.ts';

let folder: string;
let store: ArtifactStore;
let gallery: ArtifactRef;
let queries: ArtifactRef;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-images-'));
  store = (await openStore(folder)).artifacts;
  gallery = await digits(store, 'a', 1, 1200);
  queries = await digits(store, 'q', 1201, 1700);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const CONTEXT = { seed: 3, engine: 'onnxruntime' } as const;
const train = async (options: object): Promise<ArtifactRef> =>
  (
    await runStage({
      manifest: stages.train,
      run: runTrain,
      inputs: { data: gallery },
      options: {
        exclude: ['label', 'name'],
        normalisation: 'pooled',
        shape: [8, 8],
        ordered: false,
        latentDim: 3,
        width: 16,
        epochs: 12,
        learningRate: 0.004,
        ...options,
      },
      context: { artifacts: store, ...CONTEXT },
    })
  ).outputs.model;

/** Share of the digits, shifted by a pixel, that find themselves, and of the ten nearest of others that are of their class. */
async function scores(options: object): Promise<{ recallAt1: number; precisionAtK: number }> {
  const context = { artifacts: store, ...CONTEXT };
  const model = await train(options);
  const { index } = (
    await runStage({ manifest: stages.index, run: runIndex, inputs: { data: gallery, model }, options: {}, context })
  ).outputs;
  const { outputs } = await runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { index, gallery, data: queries },
    options: { label: 'label', noise: 0, occlusion: 0, shift: 1, shape: [8, 8] },
    context,
  });
  return outputs.metrics as { recallAt1: number; precisionAtK: number };
}

describe('train on images', () => {
  it('finds more digits again that are shifted when views of a row are told apart in the latent', async () => {
    const views = { architecture: 'mlp', width: 128, latentDim: 8, epochs: 20, warp: 0.2 };
    const [plain, contrasted] = [await scores(views), await scores({ ...views, contrast: 0.5 })];
    expect(contrasted.recallAt1).toBeGreaterThan(1.3 * plain.recallAt1);
  }, 60_000);

  it('finds more digits of a kind when those near a digit are drawn to it', async () => {
    const narrow = { architecture: 'mlp', width: 128, latentDim: 2, epochs: 40 };
    const [plain, drawn] = [await scores(narrow), await scores({ ...narrow, contrast: 3, neighbours: 10 })];
    expect(drawn.precisionAtK).toBeGreaterThan(plain.precisionAtK + 0.05);
  }, 60_000);

  it('finds digits of a kind by convolutions', async () => {
    const { precisionAtK } = await scores({ architecture: 'conv', latentDim: 8, epochs: 20, warp: 0.2 });
    expect(precisionAtK).toBeGreaterThan(0.85);
  }, 60_000);

  it('refuses what is no image, and views that are one', async () => {
    const refused = (options: object) => expect(train({ epochs: 1, ...options })).rejects;
    await refused({ architecture: 'conv', shape: undefined }).toThrow(/architecture: conv: needs shape/);
    await refused({ architecture: 'conv', shape: [8, 7] }).toThrow(/shape 8 × 7 has 56 pixels, learned are 64 numbers/);
    await refused({ architecture: 'conv', normalisation: 'standard' }).toThrow(/need normalisation: pooled/);
    await refused({ contrast: 0.3 }).toThrow(
      /contrast: needs views of a row that differ, found warp: 0 and swapRate: 0/,
    );
    await refused({ neighbours: 10 }).toThrow(/neighbours: 10 has no effect with contrast: 0; set contrast/);
  });

  it('warps images beside categories, which convolutions would not see', async () => {
    const beside = { exclude: ['name'], categorical: ['label'], epochs: 1, warp: 0.2 };
    await expect(train({ ...beside, architecture: 'mlp' })).resolves.toBeDefined();
    await expect(train({ ...beside, architecture: 'conv' })).rejects.toThrow(/64 numbers .* and 1 other columns/);
  });
});

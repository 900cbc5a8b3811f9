import type { ArtifactStore, Checkpoint } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { resolveEngine, type Engine } from '@hourglass/engine';
import type { StageContext } from '@hourglass/runtime';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineApplication, type MemberItem } from '../application/define.ts';
import { encodeTable } from '../columns/encode.ts';
import { predictor } from '../model/predictor.ts';
import { takeRows } from '../model/data.ts';
import { loadModel, saveModel } from '../model/save.ts';
import { learnerMetrics, type LearnerOptions } from '../options.ts';
import { readOutOf } from '../read-out.ts';
import { filling, optionsOf } from './support/learning.ts';
import { temporaryStore, wdbc } from './support/workbench.ts';

const application = defineApplication(filling);
const options = optionsOf({
  exclude: ['diagnosis'],
  skip: 'gaussian',
  latentDim: 4,
  epochs: 2,
  batchSize: 32,
});

let store: Awaited<ReturnType<typeof temporaryStore>>;
let artifacts: ArtifactStore;
let engine: Engine;
let data: ArtifactRef;
beforeAll(async () => {
  store = await temporaryStore();
  artifacts = store.artifacts;
  engine = await resolveEngine('cpu');
  data = await wdbc(artifacts, 'mean_radius < 12');
});
afterAll(() => store.remove());

interface Slot {
  checkpoint?: Checkpoint;
}

function contextOf(slot: Slot = {}, given: Partial<StageContext> = {}): StageContext & { warnings: string[] } {
  const warnings: string[] = [];
  const context: StageContext = {
    signal: new AbortController().signal,
    seed: 5,
    engine: async () => engine,
    artifacts,
    log: { info: () => undefined, warn: (message) => void warnings.push(message) },
    progress: () => undefined,
    // As a runtime does it: JSON in, JSON out.
    parallel: async (items) =>
      (await Promise.all(
        items.map(async (item) =>
          structuredClone(
            await application.trainMember(structuredClone(item) as MemberItem<LearnerOptions>, contextOf()),
          ),
        ),
      )) as never,
    checkpoint: {
      load: async () => structuredClone(slot.checkpoint),
      save: async (checkpoint) => void (slot.checkpoint = structuredClone(checkpoint)),
    },
    place: { baseDir: '.', outDir: '.' },
    ...given,
  };
  return Object.assign(context, { warnings });
}

describe('the train stage of an application', () => {
  it('gives a model that says how it is applied, and metrics of the declared schema', async () => {
    const context = contextOf();
    const { model, metrics } = await application.train(context, { data }, options);
    expect(model).toMatchObject({ kind: 'model', application: 'filling' });
    expect(await readOutOf(artifacts, model)).toEqual({
      kind: 'reconstruct',
      stage: 'model/reconstruct',
      output: 'data',
    });
    expect(learnerMetrics.parse(metrics)).toMatchObject({ columns: 30, members: 1, epochs: 2 });
    const note = await artifacts.annotation(model.digest);
    expect(note).toMatchObject({
      curves: [[{ epoch: 0 }, { epoch: 1, learningRate: expect.any(Number) }, { epoch: 2 }]],
    });
    expect(context.warnings).toEqual([]);
  });

  it('gives the same digest for the same seed and another for another', async () => {
    const first = await application.train(contextOf(), { data }, options);
    const second = await application.train(contextOf(), { data }, options);
    const other = await application.train(contextOf({}, { seed: 6 }), { data }, options);
    expect(second.model.digest).toBe(first.model.digest);
    expect(other.model.digest).not.toBe(first.model.digest);
  });

  it('continues an ensemble bit for bit where it was stopped, in its second network', async () => {
    const three = { ...options, ensemble: 3 };
    const whole = await application.train(contextOf(), { data }, three);
    const slot: Slot = {};
    const stop = new AbortController();
    const attempt = application.train(
      contextOf(slot, {
        signal: stop.signal,
        progress: (_, message) => {
          if (message.startsWith('network 2/3 epoch 1')) stop.abort();
        },
      }),
      { data },
      three,
    );
    await expect(attempt).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(slot.checkpoint!.meta.member).toBe(1);
    const resumed = await application.train(contextOf(slot), { data }, three);
    expect(resumed.model.digest).toBe(whole.model.digest);
    expect(resumed.metrics).toEqual(whole.metrics);
  });

  it('gives the same ensemble in processes side by side as in turn', async () => {
    const two = { ...options, ensemble: 2 };
    const inTurn = await application.train(contextOf(), { data }, two);
    const sideBySide = await application.train(contextOf(), { data }, two, {
      module: './train.ts',
      export: 'trainMember',
    });
    expect(sideBySide.model.digest).toBe(inTurn.model.digest);
    expect(sideBySide.metrics).toEqual(inTurn.metrics);
  });

  it('warns of a latent that compresses nothing and of a table too small to validate', async () => {
    const few = await wdbc(artifacts, 'mean_radius < 7.7');
    const context = contextOf();
    await application.train(context, { data: few }, { ...options, columns: ['mean_area', 'mean_texture'] });
    expect(context.warnings).toEqual([
      expect.stringContaining('too few data'),
      expect.stringContaining('latentDim 4 is not smaller than the 2 columns'),
    ]);
  });
});

describe('a stored model', () => {
  it('answers after loading exactly as before saving, for any batch, and leaks no tensors', async () => {
    const { model: ref } = await application.train(contextOf(), { data }, { ...options, ensemble: 2 });
    const model = await loadModel(artifacts, ref);
    expect((await saveModel(artifacts, model)).digest).toBe(ref.digest);
    const table = await (await openDataset(artifacts, data)).table();
    const encoded = encodeTable(model.encoder, table);
    const before = tf.memory().numTensors;
    const answer = predictor(engine, model);
    const whole = await answer.reconstruct(encoded);
    const z = await answer.latents(encoded);
    for (const row of [0, 17, encoded.rows - 1]) {
      const single = takeRows(encoded, [row]);
      expect(maxDifference((await answer.reconstruct(single)).values, whole.values.subarray(row * 30))).toBeLessThan(
        1e-4,
      );
      expect(maxDifference(await answer.latents(single), z.subarray(row * 4))).toBeLessThan(1e-4);
    }
    expect((await answer.fromLatents(z)).values).toHaveLength(whole.values.length);
    answer.dispose();
    await new Promise((resolve) => setImmediate(resolve));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is refused when it is no model, and when it is of a later format', async () => {
    await expect(loadModel(artifacts, data)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const later = await artifacts.putBlob(new TextEncoder().encode('{"format":2}'));
    const ref = await artifacts.put({
      kind: 'model',
      parts: [
        { key: 'model.json', ...later },
        { key: 'weights.safetensors', ...later },
      ],
      meta: {},
    });
    await expect(loadModel(artifacts, ref)).rejects.toThrow(/format 2, this version of Hourglass reads 1/);
    await expect(readOutOf(artifacts, ref)).rejects.toMatchObject({ code: 'MODEL_INCOMPATIBLE' });
  });
});

const maxDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);

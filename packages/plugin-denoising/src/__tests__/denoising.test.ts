import { failureOf } from '@hourglass/core/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type Checkpoint } from '@hourglass/artifacts';
import { loadModel } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { ingest } from '@hourglass/dataset';
import {
  blankImage,
  cropImage,
  decodeImage,
  imagesFromPixels,
  readImages,
  writeImages,
  type RawImage,
} from '@hourglass/images';
import { meanSquaredError, psnrOf } from '@hourglass/metrics';
import { runExample, runStage, type FakeContextOptions } from '@hourglass/plugin-kit/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { run as corruptRun } from '../corrupt.ts';
import { run as denoiseRun } from '../denoise.ts';
import { run as evaluateRun } from '../evaluate.ts';
import { corrupt, denoise, evaluate, train } from '../index.ts';
import { run as trainRun } from '../train.ts';

const library = new URL('../../../../workflows/', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'hourglass-denoising-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context: FakeContextOptions = { artifacts, engine: 'onnxruntime' };

const table = await ingest(artifacts, {
  uri: fileURLToPath(new URL('data/digits.parquet', library)),
  sample: { rows: 200 },
});
const digits = await writeImages(
  artifacts,
  await imagesFromPixels(artifacts, table, { width: 8, height: 8, channels: 1, max: 16 }, 'test'),
);
const quick = { levels: 2, width: 8, epochs: 3, level: 0.25, augment: 'none' as const };
const learn = async (
  data: ArtifactRef,
  options: Record<string, unknown> = {},
  more: Partial<FakeContextOptions> = {},
) =>
  (
    await runStage({
      manifest: train,
      run: trainRun,
      inputs: { data },
      options: { ...quick, ...options },
      context: { ...context, ...more },
    })
  ).outputs;
const clean = async (data: ArtifactRef, model: ArtifactRef, options = {}) =>
  (await runStage({ manifest: denoise, run: denoiseRun, inputs: { data, model }, options, context })).outputs.data;
const pictures = async (ref: ArtifactRef): Promise<RawImage[]> => {
  const found: RawImage[] = [];
  for await (const { image } of readImages(artifacts, ref, { where: 'test' })) found.push(image);
  return found;
};
const { model } = await learn(digits);

it('digits-denoising beats every classical filter by a decibel on digits not seen', async () => {
  const { state } = await runExample(fileURLToPath(new URL('pipelines/digits-denoising.yaml', library)));
  const { metrics } = state.stages.evaluate!.metrics as { metrics: { gain: number } };
  expect(metrics.gain).toBeGreaterThan(1);
});

describe('training', () => {
  it('gives the same model for the same seed, another for another', async () => {
    expect((await learn(digits)).model.digest).toBe(model.digest);
    expect((await learn(digits, {}, { seed: 2 })).model.digest).not.toBe(model.digest);
  });

  it('notes its curve beside the model, learning rates among it', async () => {
    expect(await artifacts.annotation(model.digest)).toMatchObject({
      curves: [[{ epoch: 0 }, ...[1, 2, 3].map((epoch) => ({ epoch, learningRate: expect.any(Number) }))]],
    });
  });

  it('continues from a checkpoint to the same bytes', async () => {
    const slot: { checkpoint?: Checkpoint } = {};
    const abort = new AbortController();
    const stopped = learn(
      digits,
      {},
      { slot, signal: abort.signal, onProgress: (count) => count === 3 && abort.abort() },
    );
    await expect(stopped).rejects.toThrow(/stopped in epoch [23] of 3/);
    expect(slot.checkpoint).toBeDefined();
    expect((await learn(digits, {}, { slot })).model.digest).toBe(model.digest);
  });

  it('trains in shards where squares are many, whatever the noise', async () => {
    for (const noise of ['poisson', 'salt-and-pepper', 'speckle', 'jpeg'] as const) {
      const { metrics } = await learn(digits, {
        noise,
        level: noise === 'jpeg' ? [40, 70] : [0.05, 0.2],
        epochs: 4,
        augment: 'all',
      });
      expect(metrics.validationLoss).toBeLessThan(0.06);
    }
  });

  it('learns without clean pictures', async () => {
    const photographs = await ingest(artifacts, {
      uri: fileURLToPath(new URL('data/cifar10-small.parquet', library)),
      sample: { rows: 150 },
    });
    const noisy = (
      await runStage({
        manifest: corrupt,
        run: corruptRun,
        inputs: { data: photographs },
        options: { level: 0.15 },
        context,
      })
    ).outputs.data;
    const { model: blind } = await learn(noisy, { objective: 'noise2void', epochs: 12, batchSize: 8 });
    const [truth, before, after] = await Promise.all([
      pictures(photographs),
      pictures(noisy),
      clean(noisy, blind).then(pictures),
    ]);
    const psnr = (images: RawImage[]) =>
      psnrOf(images.reduce((sum, image, i) => sum + error(image, truth[i]!), 0) / images.length);
    expect(psnr(after)).toBeGreaterThan(psnr(before) + 2);
  });

  it('says which option is wrong', async () => {
    expect(await failureOf(learn(digits, { level: -1 }))).toMatch(/OPTION_INVALID denoising\/train: level/);
    expect(await failureOf(learn(digits, { level: 25 }))).toContain('found 25 (25 grey levels are 0.098)');
    expect(await failureOf(learn(digits, { noise: 'jpeg', level: 0.1 }))).toContain(
      'level: the quality of jpeg is 100 − level, expected 1 … 99; found 0.1',
    );
    expect(await failureOf(learn(digits, { level: [0.3, 0.1] }))).toContain(
      'level: expected [from, to], rising; found [0.3, 0.1]',
    );
    expect(await failureOf(learn(digits, { patch: 32 }))).toContain(
      'pictures smaller than the squares of 32 × 32 trained on: 200 of 8x8. Make them one size with data/images, resize: { width: 32, height: 32 }, or set patch.',
    );
    const dots = await writeImages(artifacts, {
      images: [{ image: blankImage(1, 1, 1), name: 'dot.png' }],
    });
    expect(await failureOf(learn(dots))).toContain('pictures smaller than the squares of 2 × 2 trained on: 1 of 1x1');
    expect(await failureOf(learn(digits, { level: [-0.2, 0.1] }))).toMatch(/OPTION_INVALID denoising\/train: level/);
    expect(await failureOf(learn(digits, { patch: 7 }))).toContain(
      'patch 7 is no multiple of 2, by which the network halves pictures',
    );
    expect(await failureOf(learn(digits, { objective: 'noise2void', levelMap: true }))).toContain('leave levelMap out');
    expect(await failureOf(learn(table))).toBe(
      'OPTION_INVALID denoising/train: levels, augment are options for pictures; the data are a table of numbers. Leave them out.',
    );
    expect(await failureOf(learn(digits, { noise: 'swap' }))).toContain(
      'noise swap is for tables; of pictures expected gaussian, poisson, salt-and-pepper, speckle, jpeg.',
    );
  });
});

describe('applying', () => {
  it('cleans pictures of any size, in colour channel by channel, and keeps their rows and names', async () => {
    const mixed = await writeImages(artifacts, {
      columns: [{ name: 'label', physical: 'VARCHAR' }],
      images: [
        {
          image: { ...blankImage(23, 41, 3), data: new Uint8Array(23 * 41 * 3).fill(90) },
          name: 'a/b.jpg',
          record: { label: 'x' },
        },
        { image: blankImage(1, 1, 1), name: 'dot.png', record: { label: null } },
      ],
    });
    const answer = await clean(mixed, model);
    const found = [];
    for await (const stored of readImages(artifacts, answer, { where: 'test' })) found.push(stored);
    expect(
      found.map(({ name, record, image: { width, height, channels } }) => [
        name,
        record.label,
        width,
        height,
        channels,
      ]),
    ).toEqual([
      ['a/b.png', 'x', 23, 41, 3],
      ['dot.png', null, 1, 1, 1],
    ]);
  });

  it('cleans a strip of 30 000 pixels as its pieces would be', async () => {
    const data = Uint8Array.from(
      { length: 30_000 * 4 },
      (_, i) => 128 + 100 * Math.sin(i / 7) + ((i * 7919) % 41) - 20,
    );
    const strip: RawImage = { width: 30_000, height: 4, channels: 1, data };
    const [cleaned] = await pictures(
      await clean(await writeImages(artifacts, { images: [{ image: strip, name: 'strip.png' }] }), model),
    );
    expect(cleaned).toMatchObject({ width: 30_000, height: 4, channels: 1 });
    const piece = cropImage(strip, 14_900, 0, { width: 200, height: 4 });
    const [alone] = await pictures(
      await clean(await writeImages(artifacts, { images: [{ image: piece, name: 'piece.png' }] }), model),
    );
    const middle = (image: RawImage, left: number) => [...cropImage(image, left, 0, { width: 100, height: 4 }).data];
    expect(middle(cleaned!, 14_950)).toEqual(middle(alone!, 50));
  });

  it('asks how strong the noise is where the model must be told', async () => {
    const { model: told } = await learn(digits, { levelMap: true, level: [0, 0.5] });
    expect(await failureOf(clean(digits, told))).toContain(
      'OPTION_INVALID denoising/denoise: the model was trained with levelMap',
    );
    expect((await clean(digits, told, { level: 0.2 })).rows).toBe(200);
    expect(await failureOf(clean(digits, told, { level: 25 }))).toContain(
      'level: brightness runs from 0 to 1, expected at most 1; found 25 (25 grey levels are 0.098)',
    );
    expect(await failureOf(clean(digits, model, { level: 0.2 }))).toContain(
      'OPTION_INVALID denoising/denoise: option level: the model was trained without levelMap',
    );
    // A photograph, which takes no more memory than for a model that is told nothing.
    const photograph = await writeImages(artifacts, {
      images: [{ image: blankImage(300, 300, 1), name: 'photograph.png' }],
    });
    const before = process.resourceUsage().maxRSS;
    await clean(photograph, told, { level: 0.2 });
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(1000);
  });

  it('refuses the mean over views of a model that knows one view only', async () => {
    const { model: upright } = await learn(digits, { augment: 'none' });
    expect(await failureOf(clean(digits, upright, { selfEnsemble: true }))).toContain(
      'OPTION_INVALID selfEnsemble: the model was trained with augment: none',
    );
  });

  it('refuses a picture that is broken by its row, and a model of tables', async () => {
    expect(await failureOf(loadModel(artifacts, model))).toMatch(
      /MODEL_INCOMPATIBLE .* reads pictures; expected one that reads tables. It is applied by denoising\/denoise/,
    );
  });
});

it('evaluating gives scores beside baselines, and grids that can be looked at', async () => {
  const { metrics, figures } = (
    await runStage({
      manifest: evaluate,
      run: evaluateRun,
      inputs: { data: digits, model, reference: undefined },
      options: { maxImages: 40 },
      context,
    })
  ).outputs;
  expect(metrics.images).toBe(40);
  expect(metrics.noisy.psnr!).toBeCloseTo(12.04, 0);
  expect(metrics.baselines['pca-wiener']!.psnr).toBeGreaterThan(metrics.baselines.gaussian!.psnr!);
  expect(metrics.gain).toBeCloseTo(
    metrics.psnr! - Math.max(...Object.values(metrics.baselines).map((b) => b.psnr!)),
    9,
  );
  const found = await readFigures(artifacts, figures);
  expect(found.map(({ id }) => id)).toEqual(['extremes', 'fixed']);
  const grid = await decodeImage((found[1] as { png: Uint8Array }).png, 'grid');
  expect(grid).toMatchObject({ width: 4 * 100 + 4, height: 8 * 100 + 4 });
});

const error = (a: RawImage, b: RawImage): number => {
  const samples = ({ width, height, channels, data }: RawImage) => ({
    width,
    height,
    channels,
    values: Float32Array.from(data, (v) => v / 255),
  });
  return meanSquaredError(samples(a), samples(b));
};

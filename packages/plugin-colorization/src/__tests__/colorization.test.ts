import { failureOf } from '@hourglass/core/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type Checkpoint } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { ingest } from '@hourglass/dataset';
import { blankImage, readImages, rgbToLab, writeImages, type RawImage } from '@hourglass/images';
import { runStage, type FakeContextOptions } from '@hourglass/plugin-kit/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { binsOf, fitColourBins } from '../colour-bins.ts';
import { run as colorizeRun } from '../colorize.ts';
import { run as evaluateRun } from '../evaluate.ts';
import { colorize, evaluate, train } from '../index.ts';
import { run as trainRun } from '../train.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-colorization-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context: FakeContextOptions = { artifacts, engine: 'onnxruntime' };
const photographs = await ingest(artifacts, {
  uri: fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url)),
  sample: { rows: 240 },
});
const quick = { levels: 2, width: 8, epochs: 4, batchSize: 16, learningRate: 0.003 };
const learn = async (
  options: Record<string, unknown> = {},
  more: Partial<FakeContextOptions> = {},
  data: ArtifactRef = photographs,
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
const colour = async (data: ArtifactRef, model: ArtifactRef, options = {}) =>
  (await runStage({ manifest: colorize, run: colorizeRun, inputs: { data, model }, options, context })).outputs.data;
const measure = async (model: ArtifactRef) =>
  (
    await runStage({
      manifest: evaluate,
      run: evaluateRun,
      inputs: { data: photographs, model, reference: undefined },
      options: { maxImages: 120 },
      context,
    })
  ).outputs;
const pictures = async (ref: ArtifactRef): Promise<RawImage[]> => {
  const found: RawImage[] = [];
  for await (const { image } of readImages(artifacts, ref, { where: 'test' })) found.push(image);
  return found;
};
const { model, metrics } = await learn();

describe('training', () => {
  it('leaves out pictures without colour, and counts them', () => {
    expect(metrics.skipped).toBeGreaterThan(0);
    expect(metrics.images + metrics.skipped).toBe(240);
  });

  it('learns them where asked, or refuses them', async () => {
    expect((await learn({ grey: 'learn', epochs: 1 })).metrics.skipped).toBe(0);
    expect(await failureOf(learn({ grey: 'fail' }))).toContain(
      'COLUMN_INVALID colorization/train: a picture among those to learn from has no colour',
    );
    const grey = await writeImages(artifacts, { images: [{ image: blankImage(8, 8, 1), name: 'a.png' }] });
    expect(await failureOf(learn({}, {}, grey))).toContain(
      'DATA_INSUFFICIENT colorization/train: expected pictures to learn from, found 0 and 1 left out',
    );
  });

  it('gives the same model for the same seed, and continues from a checkpoint to the same bytes', async () => {
    const slot: { checkpoint?: Checkpoint } = {};
    const abort = new AbortController();
    const stopped = learn({}, { slot, signal: abort.signal, onProgress: (count) => count === 4 && abort.abort() });
    await expect(stopped).rejects.toThrow('stopped');
    expect((await learn({}, { slot })).model.digest).toBe(model.digest);
    expect((await learn({}, { seed: 9 })).model.digest).not.toBe(model.digest);
  });
});

describe('colouring', () => {
  it('keeps the lightness of every pixel, whatever colour it invents', async () => {
    const [truth, answer] = await Promise.all([pictures(photographs), pictures(await colour(photographs, model))]);
    const away: number[] = [];
    truth.slice(0, 50).forEach((image, i) => {
      const [a, b] = [rgbToLab(image.data), rgbToLab(answer[i]!.data)];
      for (let k = 0; k < a.length; k += 3) away.push(Math.abs(a[k]! - b[k]!));
    });
    away.sort((a, b) => a - b);
    // Colours outside sRGB are clipped, which moves the lightness of a few.
    expect(away[Math.floor(0.98 * away.length)]!).toBeLessThan(1);
  });

  it('takes grey pictures of any size, and keeps names', async () => {
    const grey = await writeImages(artifacts, {
      images: [{ image: { ...blankImage(19, 30, 1), data: new Uint8Array(570).fill(120) }, name: 'old.jpg' }],
    });
    const [answer] = await pictures(await colour(grey, model));
    expect(answer).toMatchObject({ width: 19, height: 30, channels: 3 });
    const odd = await writeImages(artifacts, {
      images: [
        { image: { ...blankImage(1, 1, 1), data: Uint8Array.of(90) }, name: 'dot.png' },
        { image: { ...blankImage(30_000, 1, 1), data: new Uint8Array(30_000).fill(90) }, name: 'strip.png' },
      ],
    });
    const [dot, strip] = await pictures(await colour(odd, model));
    expect(dot).toMatchObject({ width: 1, height: 1, channels: 3 });
    expect(strip).toMatchObject({ width: 30_000, height: 1, channels: 3 });
    // Nothing but grey around either: far from its ends the strip has one colour throughout.
    const pixel = (x: number) => [...strip!.data.subarray(3 * x, 3 * x + 3)];
    expect(pixel(15_000)).toEqual(pixel(200));
  });

  it('follows hints where the model learned to, and refuses them otherwise', async () => {
    const { model: hinted } = await learn({ hints: 0.1, epochs: 12 });
    const grey = await writeImages(artifacts, {
      images: [{ image: { ...blankImage(32, 32, 1), data: new Uint8Array(1024).fill(130) }, name: 'a.png' }],
    });
    const hints = [{ x: 16, y: 16, colour: '#d02020', radius: 3 }];
    const redness = async (options: object) => {
      const lab = rgbToLab((await pictures(await colour(grey, hinted, options)))[0]!.data);
      return lab[3 * (16 * 32 + 16) + 1]!;
    };
    expect(await redness({ hints })).toBeGreaterThan((await redness({})) + 10);
    expect(await failureOf(colour(grey, model, { hints }))).toContain(
      'OPTION_INVALID colorization/colorize: hints: the model was trained without',
    );
    expect(await failureOf(colour(grey, hinted, { hints: [{ ...hints[0]!, x: 32 }] }))).toContain(
      'hints: (32, 16) lies outside of a picture of 32 × 32',
    );
    expect(await failureOf(colour(grey, model, { temperature: 0.2 }))).toContain(
      'OPTION_INVALID colorization: temperature: of a faithful model there is one colour only',
    );
    expect(await failureOf(colour(grey, hinted, { hints: [{ x: 0, y: 0, colour: 'red' }] }))).toContain(
      'a colour such as #c02030',
    );
  });

  it('a vivid model is livelier than a faithful one', async () => {
    const { model: vivid } = await learn({ head: 'vivid' });
    const [lively, faithful] = [(await measure(vivid)).metrics, (await measure(model)).metrics];
    expect(lively.colourfulness).toBeGreaterThan(faithful.colourfulness);
  });
});

it('evaluating gives scores beside grey and mean colours, and grids', async () => {
  const { metrics: found, figures } = await measure(model);
  expect(found.images).toBe(120);
  expect(found.baselines.grey.colourfulness).toBeLessThan(1);
  expect(found.baselines.mean.abRmse).toBeLessThan(found.baselines.grey.abRmse);
  expect(found.abRmse).toBeLessThan(found.baselines.mean.abRmse * 1.05);
  expect((await readFigures(artifacts, figures)).map(({ id, format }) => [id, format])).toEqual([
    ['extremes', 'png'],
    ['fixed', 'png'],
  ]);
});

describe('bins of colour', () => {
  it('are those in use, rare ones weigh more, and a new colour goes to the nearest', () => {
    const ab = Float32Array.from([...Array(90).fill([2, 3]).flat(), ...Array(10).fill([45, -33]).flat()]);
    const bins = fitColourBins(ab);
    expect(bins.centers).toEqual([5, 5, 45, -35]);
    expect(bins.weights[1]! / bins.weights[0]!).toBeGreaterThan(2);
    expect([...binsOf(Float32Array.of(1, 1, 40, -40, -80, 90), bins)]).toEqual([0, 1, 0]);
  });
});

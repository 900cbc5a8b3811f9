import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runEvaluate } from '../evaluate.ts';
import * as stages from '../index.ts';
import { run as runInterpolate } from '../interpolate.ts';
import { run as runReconstruct } from '../reconstruct.ts';
import { run as runSample } from '../sample.ts';
import { run as runTrain } from '../train.ts';

const DIGITS = fileURLToPath(new URL('../../../../workflows/data/digits.parquet', import.meta.url));
const QUICK = {
  epochs: 40,
  width: 96,
  blocks: 1,
  latentDim: 12,
  batchSize: 128,
  warmup: 10,
  learningRate: 2e-3,
  dropout: 0,
  swapRate: 0,
};
let folder: string;
let store: ArtifactStore;
/** Digits: a list of 64 pixels from 0 to 16, and which digit it is. */
let data: ArtifactRef;
let test: ArtifactRef;
let model: ArtifactRef;

const context = () => ({ artifacts: store, seed: 3, engine: 'onnxruntime' as const });
const query = (sql: string, inputs: Record<string, ArtifactRef> = {}) => queryDataset(store, { inputs, sql });
const digits = (condition: string): Promise<ArtifactRef> =>
  query(
    `SELECT list_value(*COLUMNS(* EXCLUDE (i, label)))::UTINYINT[] AS pixels, label::VARCHAR AS digit
     FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${DIGITS}')) WHERE ${condition} ORDER BY i`,
  );
const train = async (options = {}, input = data) =>
  runStage({
    manifest: stages.train,
    run: runTrain,
    inputs: { data: input },
    options: { ...QUICK, decoder: 'bernoulli', ...options },
    context: context(),
  });
const sample = async (options = {}) =>
  (await runStage({ manifest: stages.sample, run: runSample, inputs: { model }, options, context: context() })).outputs
    .data;
const evaluate = (synthetic: ArtifactRef, options = {}) =>
  runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { synthetic, train: data, test, model },
    options: { label: 'digit', learners: ['forest'], baselines: [], likelihoodRows: 200, latents: 20, ...options },
    context: context(),
  });
const table = async (ref: ArtifactRef) => (await openDataset(store, ref)).table(['pixels', 'digit']);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-pictures-'));
  store = (await openStore(folder)).artifacts;
  data = await digits('i <= 1300');
  test = await digits('i > 1300');
  model = (await train()).outputs.model;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('pictures as lists of numbers', () => {
  it('are drawn in the type they came in, grey or on and off, with the label that was asked for', async () => {
    const drawn = await sample({ rows: 60, where: { digit: ['0', '1'] } });
    expect((await openDataset(store, drawn)).columns).toMatchObject([
      { name: 'pixels', physical: 'UTINYINT[]', length: 64 },
      { name: 'digit' },
    ]);
    const { vectors, columns } = await table(drawn);
    const grey = [...vectors!.pixels!.values];
    expect(grey.every((value) => Number.isInteger(value) && value >= 0 && value <= 16)).toBe(true);
    expect(grey.filter((value) => value > 0 && value < 16).length).toBeGreaterThan(500);
    expect(columns.digit).toMatchObject({ kind: 'category' });
    const binary = (await table(await sample({ rows: 60, elements: 'drawn' }))).vectors!.pixels!.values;
    expect([...new Set(binary)].sort((a, b) => a - b)).toEqual([0, 16]);
  });

  it('look like the real ones: a forest that saw drawn digits only reads real ones', async () => {
    const { metrics, figures } = (await evaluate(await sample({ balance: 'digit' }))).outputs;
    expect(metrics.utility.forest).toBeGreaterThan(0.75);
    expect(metrics.real.forest).toBeGreaterThan(0.9);
    expect(metrics.copies).toBe(0);
    const shown = await readFigures(store, figures);
    expect(shown.map(({ id }) => id)).toEqual(['marginals', 'pair-trends', 'latents', 'pictures-pixels']);
    expect(shown.at(-1)).toMatchObject({ format: 'png' });
  });

  it('have a likelihood: nearer to the truth with more latents, and worse for pictures that are none', async () => {
    const drawn = await sample({ rows: 100 });
    const likelihood = async (options: object, against = test) => {
      const before = test;
      test = against;
      const { metrics } = (await evaluate(drawn, { label: undefined, ...options })).outputs;
      test = before;
      return metrics.likelihood!;
    };
    const [few, many] = [await likelihood({ latents: 1 }), await likelihood({ latents: 50 })];
    expect(many).toMatchObject({ rows: 200, latents: 50 });
    expect(many.nats).toBeLessThan(few.nats);
    // 64 pixels by the toss of a coin and a digit of ten: 64 log 2 + log 10 = 46.7.
    expect(many.nats).toBeLessThan(35);
    // The mixture was fitted to where the rows lie.
    expect(many.mixtureNats).toBeLessThan(many.nats);
    const upsideDown = await query('SELECT list_reverse(pixels) AS pixels, digit FROM t', { t: test });
    expect((await likelihood({ latents: 20 }, upsideDown)).nats).toBeGreaterThan(many.nats + 2);
    const { metrics } = (await evaluate(drawn, { label: undefined, latents: 0 })).outputs;
    expect(metrics.likelihood).toBeNull();
  });

  it('are learned by convolutions as well, the label with them', async () => {
    const before = model;
    const options = { architecture: 'conv', shape: [8, 8], width: 32, epochs: 40 };
    model = (await train(options)).outputs.model;
    const drawn = await sample({ balance: 'digit' });
    const { metrics } = (await evaluate(drawn)).outputs;
    expect(metrics.likelihood!.nats).toBeLessThan(27);
    expect(metrics.utility.forest).toBeGreaterThan(0.65);
    model = before;
  });

  it('are reconstructed, and changed into one another by way of the latents', async () => {
    const ends = await query('SELECT * FROM t LIMIT 2', { t: test });
    const { data: told } = (
      await runStage({
        manifest: stages.reconstruct,
        run: runReconstruct,
        inputs: { data: ends, model },
        context: context(),
      })
    ).outputs;
    const { data: way } = (
      await runStage({
        manifest: stages.interpolate,
        run: runInterpolate,
        inputs: { data: ends, model },
        options: { steps: 5 },
        context: context(),
      })
    ).outputs;
    const [seen, again, between] = [await table(ends), await table(told), await table(way)];
    const of = (from: typeof seen, row: number) => from.vectors!.pixels!.values.slice(64 * row, 64 * (row + 1));
    expect(between.rows).toBe(5);
    expect([...of(between, 0)]).toEqual([...of(again, 0)]);
    expect([...of(between, 4)]).toEqual([...of(again, 1)]);
    const error = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).reduce((sum: number, value, j) => sum + (value - b[j]!) ** 2 / 64, 0);
    expect(error(of(seen, 0), of(again, 0))).toBeLessThan(error(of(seen, 0), of(again, 1)));
  });

  it('say what is wrong: conditions on a list, a size that does not fit, rows without a picture', async () => {
    await expect(sample({ where: { pixels: 3 } })).rejects.toThrow(/"pixels" holds lists of numbers.*other columns/);
    await expect(sample({ balance: 'pixels' })).rejects.toThrow(/found "pixels", lists of numbers/);
    await expect(
      evaluate(await sample({ rows: 50 }), { picture: { width: 9, height: 7 }, label: undefined, latents: 0 }),
    ).rejects.toThrow(/lists of 63 numbers, found pixels of 64/);
    const holed = await query(
      `SELECT * REPLACE (CASE WHEN row_number() OVER () < 14 THEN NULL ELSE pixels END AS pixels) FROM t`,
      { t: data },
    );
    await expect(train({}, holed)).rejects.toThrow(/"pixels" has no list of numbers in 1.0 % of the rows/);
  });
});

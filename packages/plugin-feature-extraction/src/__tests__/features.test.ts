import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type ArtifactStore } from '@hourglass/artifacts';
import { readOutOf } from '@hourglass/autoencoder/read-out';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runEvaluate } from '../evaluate.ts';
import { run as runFit } from '../fit-classifier.ts';
import { run as runRegress } from '../fit-regressor.ts';
import * as stages from '../index.ts';
import { run as runPredict } from '../predict.ts';
import { run as runTrain } from '../train.ts';
import { run as runTransform } from '../transform.ts';

const DIGITS = fileURLToPath(new URL('../../../../workflows/data/digits.parquet', import.meta.url));
let folder: string;
let store: ArtifactStore;
let data: ArtifactRef;
let test: ArtifactRef;
let model: ArtifactRef;

const QUICK = {
  label: 'label',
  exclude: ['name'],
  normalisation: 'pooled',
  width: 32,
  latentDim: 8,
  epochs: 5,
} as const;
const context = () => ({ artifacts: store, seed: 3 });
const query = (inputs: Record<string, ArtifactRef>, sql: string) => queryDataset(store, { inputs, sql });
const digits = (from: number, to: number): Promise<ArtifactRef> =>
  query(
    {},
    `SELECT 'digit ' || i AS name, * EXCLUDE (i) FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${DIGITS}')) WHERE i BETWEEN ${from} AND ${to} ORDER BY i`,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-features-'));
  store = (await openStore(folder)).artifacts;
  data = await digits(1, 300);
  test = await digits(1001, 1100);
  model = await train();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const train = async (options: Record<string, unknown> = {}, input = data) =>
  (
    await runStage({
      manifest: stages.train,
      run: runTrain,
      inputs: { data: input },
      options: { ...QUICK, exclude: ['name'], ...options },
      context: context(),
    })
  ).outputs.model;
const transform = async (options = {}) =>
  (
    await runStage({
      manifest: stages.transform,
      run: runTransform,
      inputs: { data: test, model },
      options,
      context: context(),
    })
  ).outputs.data;
const evaluate = (options = {}, inputs: { train?: ArtifactRef; test?: ArtifactRef; model?: ArtifactRef } = {}) =>
  runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { model, train: data, test, ...inputs },
    options: { label: 'label', budgets: [50, 150], repeats: 2, ...options },
    context: context(),
  });
const fit = (options = {}, input = data, by = model) =>
  runStage({
    manifest: stages.fitClassifier,
    run: runFit,
    inputs: { model: by, data: input },
    options: { label: 'label', ...options },
    context: context(),
  });
const predict = async (classifier: ArtifactRef, input = test) =>
  (
    await runStage({
      manifest: stages.predict,
      run: runPredict,
      inputs: { head: classifier, data: input },
      context: context(),
    })
  ).outputs.data;
const values = async (ref: ArtifactRef, name: string): Promise<Float64Array> => {
  const column = (await (await openDataset(store, ref)).table([name])).columns[name]!;
  return (column as { values: Float64Array }).values;
};

describe('train and transform', () => {
  it('give features beside ids and label, with names that stay: deep ones hold the latent', async () => {
    const names = async (ref: ArtifactRef) => (await openDataset(store, ref)).columns.map(({ name }) => name);
    const deep = await transform();
    expect((await names(deep)).slice(0, 4)).toEqual(['name', 'label', 'f_1', 'f_2']);
    // One residual block of 32 on each side, and the latent of 8 between.
    expect(await names(deep)).toHaveLength(2 + 32 + 8 + 32);
    const latent = await transform({ kind: 'latent', keep: [], prefix: 'z' });
    expect(await names(latent)).toEqual(['z1', 'z2', 'z3', 'z4', 'z5', 'z6', 'z7', 'z8']);
    expect(await values(deep, 'f_33')).toEqual(await values(latent, 'z1'));
  });

  it('never learn from the label, and say when there is none of that name', async () => {
    const { meta } = await store.get(model);
    expect(meta.columns).toHaveLength(64);
    expect(meta.columns).not.toContain('label');
    await expect(train({ label: 'lable' })).rejects.toThrow(/did you mean "label"\?/);
  });

  it('swap noise changes what is learned', async () => {
    expect((await train({ swapRate: 0, epochs: 1 })).digest).not.toBe((await train({ epochs: 1 })).digest);
  });
});

describe('evaluate', () => {
  it('gives the label-efficiency table: every learner on every set of features at every budget, with spread', async () => {
    const { metrics, figures } = (await evaluate()).outputs;
    expect(metrics.table).toHaveLength(2 * 2 * 4);
    const at = (budget: number, features: string) =>
      metrics.table.find((row) => row.budget === budget && row.features === features && row.learner === 'logistic')!;
    expect(at(150, 'raw').accuracy).toBeGreaterThan(0.65);
    expect(at(150, 'features').accuracy).toBeGreaterThan(0.65);
    expect(at(150, 'raw').accuracy).toBeGreaterThan(at(50, 'raw').accuracy - 0.02);
    expect(metrics.accuracy).toBe(at(150, 'raw+features').accuracy);
    expect(metrics.worstGain).toBeCloseTo(
      Math.min(...[50, 150].map((b) => at(b, 'raw+features').accuracy - at(b, 'raw').accuracy)),
      12,
    );
    expect(metrics.table.some(({ spread }) => spread > 0)).toBe(true);
    expect(await readFigures(store, figures)).toMatchObject([{ id: 'label-efficiency' }]);
  });

  it('refuses an encoder that has seen the test rows, however they come', async () => {
    await expect(evaluate({}, { test: data })).rejects.toThrow(/learned from the very rows of `test`/);
    const all = await query({ data, test }, 'SELECT * FROM data UNION ALL SELECT * FROM test');
    const greedy = await train({ epochs: 1 }, all);
    await expect(evaluate({}, { model: greedy })).rejects.toThrow(/may have seen rows of `test`; connect as `train`/);
    await expect(evaluate({}, { model: greedy, train: all })).rejects.toThrow(
      /100 % of the test rows are rows the encoder learned from/,
    );
  });

  it('refuses a learned label, one class only, and more labels than there are', async () => {
    const leaky = await train({ label: undefined, epochs: 1 });
    await expect(evaluate({}, { model: leaky })).rejects.toThrow(/would be a leak; train with exclude: \[label\]/);
    const ones = await query({ data }, 'SELECT * REPLACE (1 AS label) FROM data');
    const single = await train({ epochs: 1 }, ones);
    await expect(evaluate({}, { model: single, train: ones })).rejects.toThrow(
      /at least two classes .*found one only \(1\)/,
    );
    await expect(evaluate({ budgets: [301] })).rejects.toThrow(/asks for 301 labelled rows, `train` has 300/);
  });
});

describe('fit-classifier and predict', () => {
  it('end in classes and probabilities that add up, right for most rows not seen', async () => {
    const { classifier, metrics } = (await fit()).outputs;
    expect(metrics).toMatchObject({ rows: 300, classes: 10, features: 72 });
    expect(metrics.logLoss).toBeLessThanOrEqual(metrics.uncalibratedLogLoss + 1e-9);
    expect(await readOutOf(store, classifier)).toMatchObject({ stage: 'feature-extraction/predict' });
    const predictions = await predict(classifier);
    const { columns } = await openDataset(store, predictions);
    expect(columns.map(({ name }) => name).slice(0, 5)).toEqual(['name', 'label', 'prediction', 'probability', 'p_0']);
    const truth = await values(test, 'label');
    const right = (await values(predictions, 'prediction')).filter((value, i) => value === truth[i]).length;
    expect(right / 100).toBeGreaterThan(0.75);
    const each = await Promise.all(Array.from({ length: 10 }, (_, k) => values(predictions, `p_${k}`)));
    const top = await values(predictions, 'probability');
    for (let i = 0; i < 100; i++) {
      const row = each.map((column) => column[i]!);
      expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
      expect(top[i]).toBe(Math.max(...row));
    }
  });

  it('leave rows without a label out, and keep names of classes', async () => {
    const named = await query(
      { data },
      `SELECT * REPLACE (CASE WHEN label = 0 THEN NULL WHEN label % 2 = 0 THEN 'even' ELSE 'odd' END AS label) FROM data`,
    );
    const { classifier, metrics } = (await fit({}, named)).outputs;
    expect(metrics.classes).toBe(2);
    expect(metrics.rows).toBeLessThan(300);
    const { columns } = await openDataset(store, await predict(classifier));
    expect(columns.map(({ name }) => name)).toEqual(['name', 'label', 'prediction', 'probability', 'p_even', 'p_odd']);
  });

  it('refuse a model without a classifier and too few labels', async () => {
    await expect(predict(model)).rejects.toThrow(/is a model of feature-extraction without a head/);
    await expect(fit({}, await query({ data }, 'SELECT * FROM data LIMIT 6'))).rejects.toThrow(
      /at least 10 labelled rows, found 6/,
    );
  });
});

describe('fit-regressor and predict', () => {
  /** The digits with the ink on them, which no column holds. */
  const inked = (of: ArtifactRef, ink = 'p33 + p34 + p43 + p44 + 2 * p03'): Promise<ArtifactRef> =>
    query({ of }, `SELECT *, ${ink} AS ink FROM of`);
  const regress = async (options = {}, input?: ArtifactRef) =>
    (
      await runStage({
        manifest: stages.fitRegressor,
        run: runRegress,
        inputs: { model, data: input ?? (await inked(data)) },
        options: { label: 'ink', ...options },
        context: context(),
      })
    ).outputs;

  it('end in numbers near the truth, and in intervals that hold as many of them as was asked', async () => {
    const { regressor, metrics } = await regress({ coverage: 0.8 });
    expect(metrics).toMatchObject({ rows: 300, features: 72, coverage: 0.8 });
    expect(metrics.rmse).toBeLessThan(0.5 * metrics.baselines.mean.rmse);
    const unseen = await inked(test);
    const predictions = await predict(regressor, unseen);
    const { columns } = await openDataset(store, predictions);
    // A column that the encoder did not learn comes along, the label among them.
    expect(columns.map(({ name }) => name)).toEqual(['name', 'label', 'ink', 'prediction', 'low', 'high']);
    const [truth, answer, low, high] = await Promise.all(
      ['ink', 'prediction', 'low', 'high'].map((name) => values(predictions, name)),
    );
    const off = Math.sqrt(truth!.reduce((sum, each, i) => sum + (each - answer![i]!) ** 2, 0) / truth!.length);
    expect(off).toBeLessThan(0.5 * metrics.baselines.mean.rmse);
    expect(high![0]! - low![0]!).toBeCloseTo(2 * metrics.margin, 9);
    const inside = truth!.filter((each, i) => each >= low![i]! && each <= high![i]!).length / truth!.length;
    expect(inside).toBeGreaterThan(0.65);
    expect(inside).toBeLessThan(0.95);
  });

  it('leave rows without a number out', async () => {
    const { metrics } = await regress({}, await inked(data, 'CASE WHEN label = 0 THEN NULL ELSE p33 END'));
    expect(metrics.rows).toBeLessThan(300);
  });

  it('refuse text, and a coverage that the rows put aside cannot show', async () => {
    await expect(regress({}, await inked(data, "'much'"))).rejects.toThrow(/expected numbers .* found text/);
    await expect(regress({ coverage: 0.99 })).rejects.toThrow(/takes 99 labelled rows put aside, found 60 of 300/);
    await expect(regress({ label: 'inc' })).rejects.toThrow(/did you mean "ink"\?/);
  });
});

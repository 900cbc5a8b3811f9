import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type ArtifactStore } from '@hourglass/artifacts';
import { encodeTable, loadModel } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { fitPca, pcaReconstruct, pcaTransform } from '@hourglass/metrics';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runEvaluate } from '../evaluate.ts';
import * as stages from '../index.ts';
import { run as runInverse } from '../inverse-transform.ts';
import { run as runTrain } from '../train.ts';
import { run as runTransform } from '../transform.ts';

const DIGITS = fileURLToPath(new URL('../../../../workflows/data/digits.parquet', import.meta.url));
let folder: string;
let store: ArtifactStore;
/** 200 digits to learn from, 80 others; `name` is an id. */
let data: ArtifactRef;
let fresh: ArtifactRef;
/** Linear, three dimensions, everything learned by gradient. */
let linear: ArtifactRef;
/** Ordered, around principal components. */
let ordered: ArtifactRef;

const QUICK = { exclude: ['label', 'name'], normalisation: 'pooled', width: 32, epochs: 30, batchSize: 50 } as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-reduction-'));
  store = (await openStore(folder)).artifacts;
  const rows = (where: string): Promise<ArtifactRef> =>
    queryDataset(store, {
      inputs: {},
      sql: `SELECT 'digit ' || i AS name, * EXCLUDE (i) FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${DIGITS}')) WHERE ${where} ORDER BY i`,
    });
  data = await rows('i <= 200');
  fresh = await rows('i > 1000 AND i <= 1080');
  linear = (
    await train(data, {
      ...QUICK,
      architecture: 'linear',
      base: 'none',
      latentDim: 3,
      epochs: 400,
      batchSize: 200,
      learningRate: 0.05,
      schedule: 'cosine',
      weightDecay: 0,
      clipNorm: 100,
      validationFraction: 0,
    })
  ).outputs.model;
  ordered = (await train(data, { ...QUICK, latentDim: 6, ordered: true })).outputs.model;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const context = () => ({ artifacts: store, seed: 3 });
const train = (input: ArtifactRef, options: Record<string, unknown>) =>
  runStage({ manifest: stages.train, run: runTrain, inputs: { data: input }, options, context: context() });
const transform = async (input: ArtifactRef, model: ArtifactRef, options = {}) =>
  (
    await runStage({
      manifest: stages.transform,
      run: runTransform,
      inputs: { data: input, model },
      options,
      context: context(),
    })
  ).outputs.data;
const inverse = async (input: ArtifactRef, model: ArtifactRef, options = {}) =>
  (
    await runStage({
      manifest: stages.inverseTransform,
      run: runInverse,
      inputs: { data: input, model },
      options,
      context: context(),
    })
  ).outputs.data;
const evaluate = (input: ArtifactRef, model: ArtifactRef, options = {}, reference: ArtifactRef | undefined = data) =>
  runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { data: input, model, reference },
    options,
    context: context(),
  });
const columnsOf = async (ref: ArtifactRef) => (await openDataset(store, ref)).columns.map(({ name }) => name);
const query = (inputs: Record<string, ArtifactRef>, sql: string) => queryDataset(store, { inputs, sql });

describe('a linear autoencoder', () => {
  it('keeps what principal components keep: it spans their subspace', async () => {
    const { metrics } = (await evaluate(fresh, linear, { clip: false })).outputs;
    // Rows never seen are reconstructed equally well: the planes are the same.
    expect(metrics.squaredError / metrics.baselines.pca.squaredError).toBeCloseTo(1, 2);
  });

  it('its latents and PCA’s are one plane: largest principal angle below 1°', async () => {
    const model = await loadModel(store, linear);
    const encoded = encodeTable(model.encoder, await (await openDataset(store, data)).table());
    const p = model.encoder.columns.length;
    const { components } = fitPca({ rows: encoded.rows, cols: p, data: encoded.x }, 3);
    const decoder = model.members[0]!['decoder/0/kernel']!.values;
    // Every direction of the decoder lies in the span of the components: what is outside is its sine.
    for (let c = 0; c < 3; c++) {
      const row = Float64Array.from({ length: p }, (_, j) => decoder[c * p + j]!);
      const norm = Math.hypot(...row);
      for (let k = 0; k < 3; k++) {
        const along = row.reduce((sum, value, j) => sum + value * components[k * p + j]!, 0);
        row.forEach((value, j) => (row[j] = value - along * components[k * p + j]!));
      }
      expect(Math.hypot(...row) / norm).toBeLessThan(Math.sin(Math.PI / 180));
    }
  });
});

describe('transform and inverse-transform', () => {
  it('keep ids, name the latents, and give the columns back in their types', async () => {
    const latents = await transform(fresh, ordered);
    expect(await columnsOf(latents)).toEqual(['name', 'label', 'z_1', 'z_2', 'z_3', 'z_4', 'z_5', 'z_6']);
    const back = await openDataset(store, await inverse(latents, ordered));
    const before = await openDataset(store, fresh);
    expect(back.columns.map(({ name }) => name)).toEqual([
      'name',
      'label',
      ...before.columns.map(({ name }) => name).slice(1, -1),
    ]);
    expect(back.columns.find(({ name }) => name === 'p33')).toEqual(before.columns.find(({ name }) => name === 'p33'));
    const [x, xHat] = [await before.matrix(['p33', 'p43']), await back.matrix(['p33', 'p43'])];
    const error = x.data.reduce((sum, value, i) => sum + (value - xHat.data[i]!) ** 2, 0) / x.data.length;
    expect(error).toBeLessThan(20); // of a variance of about 35
    expect(xHat.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 16)).toBe(true);
  });

  it('ordered latents: the first k are those of the whole, and enough to decode from', async () => {
    const two = await transform(fresh, ordered, { dims: 2, keep: [], prefix: 'd' });
    expect(await columnsOf(two)).toEqual(['d1', 'd2']);
    const all = await (await openDataset(store, await transform(fresh, ordered))).matrix(['z_1', 'z_2']);
    expect(await (await openDataset(store, two)).matrix(['d1', 'd2'])).toEqual(all);
    expect(await columnsOf(await inverse(two, ordered, { prefix: 'd' }))).toHaveLength(64);
  });

  it('refuse sizes the model does not have', async () => {
    await expect(transform(fresh, ordered, { dims: 7 })).rejects.toThrow(
      /at most 6, the size of the model's latent, found 7/,
    );
    await expect(transform(fresh, linear, { dims: 2 })).rejects.toThrow(
      /latents are ordered; train with ordered: true/,
    );
    const latents = await transform(fresh, linear);
    await expect(inverse(latents, ordered, { prefix: 'y_' })).rejects.toThrow(
      /latents y_1 … y_6 .* found no such column/,
    );
    await expect(inverse(await transform(fresh, ordered), linear)).rejects.toThrow(
      /expected the latents z_1 … z_3 of this model, found z_1, z_2, z_3, z_4, z_5, z_6/,
    );
    const torn = await query({ latents }, 'SELECT * EXCLUDE (z_2) FROM latents');
    await expect(inverse(torn, linear)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
  });

  it('refuse a latent with a hole, by name and row', async () => {
    const latents = await transform(fresh, linear);
    const holes = await query(
      { latents },
      `SELECT * REPLACE (CASE WHEN name = 'digit 1003' THEN NULL ELSE z_2 END AS z_2) FROM latents`,
    );
    await expect(inverse(holes, linear)).rejects.toThrow(/column "z_2" has a missing or infinite cell in row 2/);
  });

  it('refuse a table of other columns, each named', async () => {
    const other = await query({ fresh }, 'SELECT * EXCLUDE (p11) FROM fresh');
    await expect(transform(other, ordered)).rejects.toThrow(/missing: p11/);
  });
});

describe('evaluate', () => {
  it('measures every size of ordered latents beside PCA, with figures that hold their data', async () => {
    const { metrics, figures } = (await evaluate(fresh, ordered, { label: 'label' })).outputs;
    expect(metrics.curve.map(({ d }) => d)).toEqual([1, 2, 3, 4, 5, 6]);
    const errors = metrics.curve.map(({ squaredError }) => squaredError);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(metrics.worstRatio).toBeLessThan(1.01);
    expect(metrics.squaredError).toBeLessThan(metrics.baselines.pca.squaredError);
    expect(metrics.knnAccuracy).toBeGreaterThan(0.6);
    expect(metrics.trustworthiness).toBeGreaterThan(0.9);
    expect(metrics.rows).toBe(80);
    const [curve, map] = await readFigures(store, figures);
    expect(curve).toMatchObject({ id: 'error', format: 'vega-lite' });
    expect((map as unknown as { spec: { data: { values: unknown[] } } }).spec.data.values).toHaveLength(80);
  });

  it('PCA’s error is PCA’s, in the table’s own units where columns are pooled and by deviations where asked', async () => {
    const [a, b] = await Promise.all([data, fresh].map((ref) => openDataset(store, ref)));
    const names = a!.columns.map(({ name }) => name).filter((name) => /^p\d/.test(name));
    const [x, y] = [await a!.matrix(names), await b!.matrix(names)];
    const pca = fitPca(x, 6);
    const yHat = pcaReconstruct(pca, pcaTransform(pca, y));
    const error = y.data.reduce((sum, value, i) => sum + (value - yHat[i]!) ** 2, 0) / y.rows;
    const { metrics } = (await evaluate(fresh, ordered, { clip: false })).outputs;
    expect(metrics.baselines.pca.squaredError).toBeCloseTo(error, 3);
    // By deviations: equal to PCA of the columns divided by them.
    const deviation = names.map((_, j) => {
      const values = Array.from({ length: x.rows }, (_row, i) => x.data[i * x.cols + j]!);
      const mean = values.reduce((sum, value) => sum + value / x.rows, 0);
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / x.rows, 0)) || 1;
    });
    const scaled = [x, y].map((m) => ({ ...m, data: Float64Array.from(m.data, (v, i) => v / deviation[i % m.cols]!) }));
    const pcaScaled = fitPca(scaled[0]!, 6);
    const back = pcaReconstruct(pcaScaled, pcaTransform(pcaScaled, scaled[1]!));
    const errorScaled = back.reduce((sum, value, i) => sum + (value - scaled[1]!.data[i]!) ** 2, 0) / y.rows;
    const standard = (await evaluate(fresh, ordered, { clip: false, scale: 'standard' })).outputs.metrics;
    expect(standard.baselines.pca.squaredError).toBeCloseTo(errorScaled, 3);
  });

  it('finds the smallest size that keeps the share asked for', async () => {
    const { metrics } = (await evaluate(fresh, ordered, { keepVariance: 0.3 })).outputs;
    const first = metrics.curve.find(({ explainedVariance }) => explainedVariance! >= 0.3)!.d;
    expect(metrics.smallest).toBe(first);
    expect((await evaluate(fresh, ordered, { keepVariance: 0.99 })).outputs.metrics.smallest).toBeNull();
  });

  it('refuses a label that was learned, unless asked', async () => {
    const { model } = (await train(data, { ...QUICK, exclude: ['name'], epochs: 1, latentDim: 2 })).outputs;
    await expect(evaluate(fresh, model, { label: 'label' })).rejects.toThrow(
      /label column "label" is among the columns the model learned.*would be a leak; train with exclude: \[label\]/,
    );
    const { metrics } = (await evaluate(fresh, model, { label: 'label', learnedLabel: 'allow' })).outputs;
    expect(metrics.knnAccuracy).toBeGreaterThan(0);
  });

  it('says when there is one class only, no such label, or one row', async () => {
    const ones = await query({ data }, 'SELECT * REPLACE (1 AS label) FROM data');
    await expect(evaluate(fresh, ordered, { label: 'label' }, ones)).rejects.toThrow(
      /at least two classes in the label column "label", found one only \(1\)/,
    );
    await expect(evaluate(fresh, ordered, { label: 'lable' })).rejects.toThrow(/did you mean "label"\?/);
    const one = await query({ data }, 'SELECT * FROM data LIMIT 1');
    await expect(evaluate(one, ordered)).rejects.toThrow(/at least 2 rows in `data`, found 1/);
  });
});

describe('warped images', () => {
  it('come nearer to the image as it was, beside what lies between images', async () => {
    const shift = Array.from({ length: 64 }, (_, k) => {
      const [y, x] = [Math.floor(k / 8), k % 8];
      // Half a pixel to the right.
      return `(p${y}${x} + ${x > 0 ? `p${y}${x - 1}` : '0'}) / 2 AS p${y}${x}`;
    });
    const moved = await query({ fresh }, `SELECT * REPLACE (${shift.join(', ')}) FROM fresh`);
    const nearness = async (warp: number): Promise<number> => {
      const { model } = (await train(data, { ...QUICK, latentDim: 6, epochs: 60, warp, shape: [8, 8] })).outputs;
      const [z, other] = await Promise.all(
        [fresh, moved].map(async (rows) => {
          const names = Array.from({ length: 6 }, (_, k) => `z_${k + 1}`);
          return (await (await openDataset(store, await transform(rows, model))).matrix(names)).data;
        }),
      );
      const distance = (i: number, j: number, to: Float32Array): number =>
        Math.hypot(...Array.from({ length: 6 }, (_, k) => z![i * 6 + k]! - to[j * 6 + k]!));
      const rows = Array.from({ length: 80 }, (_, i) => i);
      const own = rows.reduce((sum, i) => sum + distance(i, i, other!), 0);
      const next = rows.reduce((sum, i) => sum + distance(i, (i + 1) % 80, z!), 0);
      return own / next;
    };
    expect(await nearness(0.3)).toBeLessThan(0.95 * (await nearness(0)));
  });
});

describe('a vector column', () => {
  it('is reduced as its elements would be, beats PCA, and comes back as the list it was', async () => {
    const pixels = Array.from({ length: 64 }, (_, k) => `p${Math.floor(k / 8)}${k % 8}`).join(', ');
    const listed = (input: ArtifactRef) =>
      query({ input }, `SELECT name, list_value(${pixels})::UTINYINT[] AS pixels, label FROM input`);
    const lists = await listed(data);
    const { model, metrics } = (await train(lists, { ...QUICK, latentDim: 6, ordered: true })).outputs;
    expect(metrics.columns).toBe(1);
    const measured = (await evaluate(await listed(fresh), model, { label: 'label', dims: [2, 6] }, lists)).outputs;
    expect(measured.metrics.columns).toBe(64);
    expect(measured.metrics.worstRatio).toBeLessThan(1);
    // Error and baseline are those of the same pixels as columns, in the elements' own unit.
    const flat = (await evaluate(fresh, ordered, { label: 'label', dims: [2, 6], scale: 'raw' })).outputs.metrics;
    const raw = (await evaluate(await listed(fresh), model, { dims: [2, 6], scale: 'raw' }, lists)).outputs.metrics;
    // Single pixels are clipped each to its own range, a vector to one: the baseline differs by that only.
    expect(raw.baselines.pca.squaredError / flat.baselines.pca.squaredError).toBeCloseTo(1, 1);
    const latents = await transform(lists, model);
    expect(await columnsOf(latents)).toEqual(['name', 'label', 'z_1', 'z_2', 'z_3', 'z_4', 'z_5', 'z_6']);
    const back = await openDataset(store, await inverse(latents, model));
    expect(back.columns.at(-1)).toEqual({ name: 'pixels', type: 'vector', physical: 'UTINYINT[]', length: 64 });
    const exact = await openDataset(store, await inverse(latents, model, { exact: true }));
    expect(exact.columns.at(-1)).toMatchObject({ type: 'vector', physical: 'DOUBLE[]' });
  });
});

describe('train', () => {
  it('says that a latent as wide as the table compresses nothing, and learns', async () => {
    const { said } = await train(data, { ...QUICK, columns: ['p33', 'p43'], exclude: [], latentDim: 4, epochs: 1 });
    expect(said.warnings).toContain('latentDim 4 is not smaller than the 2 columns: the latent compresses nothing');
  });

  it('refuses a latent of no dimension', async () => {
    await expect(train(data, { latentDim: 0 })).rejects.toThrow(/latentDim: Too small: expected number to be >=1/);
  });

  it('takes 20 000 columns', { timeout: 300_000 }, async () => {
    const wide = await query(
      {},
      `SELECT ${Array.from({ length: 20_000 }, (_, j) => `((i * ${j + 1}) % 97)::FLOAT AS c${j}`).join(', ')} FROM range(12) t(i)`,
    );
    const { outputs, said } = await train(wide, { width: 4, blocks: 0, latentDim: 2, epochs: 1 });
    expect(outputs.metrics.columns).toBe(20_000);
    expect(said.warnings.join()).toMatch(
      /base: pca is for tables of up to 1024 numeric columns and elements of vectors, this one has 20000/,
    );
  });
});

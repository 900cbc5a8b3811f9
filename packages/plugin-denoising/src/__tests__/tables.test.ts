import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures } from '@hourglass/artifacts';
import { loadImageModel } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { failureOf } from '@hourglass/core/testing';
import { ingest, openDataset, writeDataset, type ColumnData } from '@hourglass/dataset';
import { rmse } from '@hourglass/metrics';
import { runExample, runStage, type FakeContextOptions } from '@hourglass/plugin-kit/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { run as corruptRun } from '../corrupt.ts';
import { run as denoiseRun } from '../denoise.ts';
import { run as evaluateRun } from '../evaluate.ts';
import { corrupt, denoise, evaluate, train } from '../index.ts';
import { run as trainRun } from '../train.ts';

const library = new URL('../../../../workflows/', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'hourglass-denoising-tables-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context: FakeContextOptions = { artifacts, engine: 'onnxruntime' };
const at = (path: string) => fileURLToPath(new URL(path, library));

const wdbc = await ingest(artifacts, { uri: at('data/wdbc.parquet') });
const quick = { epochs: 60, width: 32, blocks: 1, latentDim: 32, batchSize: 32, level: 0.5 };
const learn = async (data: ArtifactRef, options: Record<string, unknown> = {}) =>
  (
    await runStage({
      manifest: train,
      run: trainRun,
      inputs: { data },
      options: { ...quick, ...options },
      context,
    })
  ).outputs;
const soil = async (data: ArtifactRef, options: Record<string, unknown> = {}) =>
  (await runStage({ manifest: corrupt, run: corruptRun, inputs: { data }, options, context })).outputs.data;
const clean = async (data: ArtifactRef, model: ArtifactRef, options = {}) =>
  (await runStage({ manifest: denoise, run: denoiseRun, inputs: { data, model }, options, context })).outputs.data;
const measure = async (
  data: ArtifactRef,
  model: ArtifactRef,
  options: Record<string, unknown> = {},
  reference?: ArtifactRef,
) =>
  (await runStage({ manifest: evaluate, run: evaluateRun, inputs: { data, model, reference }, options, context }))
    .outputs;
const numbers = async (data: ArtifactRef, name: string): Promise<Float64Array> =>
  ((await (await openDataset(artifacts, data)).table([name])).columns[name] as Extract<ColumnData, { kind: 'numeric' }>)
    .values;
const deviation = (values: Float64Array): number => {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  return rmse(
    values,
    values.map(() => mean),
  );
};
const { model } = await learn(wdbc);

it('letter-denoising beats PCA-Wiener and the mean of the nearest clean rows on rows not seen', async () => {
  const { state } = await runExample(at('pipelines/letter-denoising.yaml'), { params: { epochs: 12 } });
  const { metrics } = state.stages.evaluate!.metrics as { metrics: { reduction: number } };
  expect(metrics.reduction).toBeGreaterThan(0.03);
});

describe('noise', () => {
  it('has the asked deviation in units of each column, and leaves other columns alone', async () => {
    const noisy = await soil(wdbc, { level: 0.5, exclude: ['mean_area'] });
    for (const name of ['mean_radius', 'mean_smoothness']) {
      const [before, after] = [await numbers(wdbc, name), await numbers(noisy, name)];
      expect(rmse(before, after) / deviation(before)).toBeCloseTo(0.5, 1);
    }
    expect(await numbers(noisy, 'mean_area')).toEqual(await numbers(wdbc, 'mean_area'));
    expect((await openDataset(artifacts, noisy)).columns.map(({ name }) => name)).toEqual(
      (await openDataset(artifacts, wdbc)).columns.map(({ name }) => name),
    );
    expect((await soil(wdbc, { level: 0.5, exclude: ['mean_area'] })).digest).toBe(noisy.digest);
  });

  it('swaps the asked share of cells for those of other rows', async () => {
    const [before, after] = [
      await numbers(wdbc, 'mean_radius'),
      await numbers(await soil(wdbc, { noise: 'swap', level: 0.3 }), 'mean_radius'),
    ];
    const changed = before.filter((value, i) => value !== after[i]).length / before.length;
    expect(changed).toBeGreaterThan(0.24);
    expect(changed).toBeLessThan(0.36);
    expect(after.every((value) => before.includes(value))).toBe(true);
  });
});

describe('cleaning a table', () => {
  it('brings numbers nearer to the truth, keeps rows, labels and missing cells', async () => {
    const noisy = await soil(wdbc, { level: 0.5 });
    const reader = await openDataset(artifacts, noisy);
    const table = await reader.table();
    const radius = table.columns.mean_radius as Extract<ColumnData, { kind: 'numeric' }>;
    radius.values[3] = NaN;
    const holed = await writeDataset(artifacts, {
      columns: reader.columns.map(({ name, physical }) => ({ name, physical })),
      parts: [{ key: 'all', tables: [table] }],
    });
    const answer = await clean(holed, model);
    const [truth, before, after] = [
      await numbers(wdbc, 'mean_radius'),
      await numbers(holed, 'mean_radius'),
      await numbers(answer, 'mean_radius'),
    ];
    expect(after[3]).toBeNaN();
    const others = truth.map((_, i) => (i === 3 ? 0 : 1));
    expect(rmse(truth, after, others)).toBeLessThan(0.7 * rmse(truth, before, others));
    const cleaned = await openDataset(artifacts, answer);
    expect(cleaned.columns.map(({ name }) => name)).toEqual(reader.columns.map(({ name }) => name));
    expect((await cleaned.table(['diagnosis'])).columns).toEqual((await reader.table(['diagnosis'])).columns);
  });

  it('says which columns are missing and which option is for pictures', async () => {
    const other = await ingest(artifacts, { uri: at('data/digits.parquet'), sample: { rows: 20 } });
    expect(await failureOf(clean(other, model))).toMatch(/SCHEMA_MISMATCH .*missing: mean_radius/);
    expect(await failureOf(clean(wdbc, model, { level: 0.2 }))).toContain(
      'OPTION_INVALID denoising/denoise: level is an option for pictures; the data are a table of numbers',
    );
    expect(await failureOf(loadImageModel(artifacts, model))).toMatch(/MODEL_INCOMPATIBLE .* reads tables/);
  });
});

it('evaluating gives errors in deviations of each column beside the best of simple methods', async () => {
  const { metrics, figures } = await measure(wdbc, model, { maxRows: 300 });
  expect(metrics.rows).toBe(300);
  expect(metrics.noisy.rmse!).toBeCloseTo(0.5, 1);
  expect(Object.keys(metrics.baselines).sort()).toEqual(['knn', 'moving-median', 'pca-wiener']);
  const errors = Object.values(metrics.baselines).map((one) => one.rmse!);
  expect(metrics.reduction).toBeCloseTo(1 - metrics.rmse! / Math.min(...errors), 9);
  expect(metrics.rmse!).toBeLessThan(metrics.noisy.rmse!);
  const [figure] = await readFigures(artifacts, figures);
  expect(figure).toMatchObject({ id: 'columns', format: 'vega-lite' });
});

describe('a time series', () => {
  // Slow waves of two sensors: neighbours in time say what a row alone cannot.
  const waves = (rows: number, phase: number) =>
    writeDataset(artifacts, {
      columns: [
        { name: 'a', physical: 'DOUBLE' },
        { name: 'b', physical: 'DOUBLE' },
      ],
      parts: ['first', 'second'].map((key, part) => ({
        key,
        tables: [
          {
            rows,
            columns: Object.fromEntries(
              ['a', 'b'].map((name, j) => [
                name,
                {
                  kind: 'numeric' as const,
                  values: Float64Array.from({ length: rows }, (_, i) => Math.sin(phase + part + i / (9 + 7 * j))),
                },
              ]),
            ),
          },
        ],
      })),
    });

  it('is cleaned better with the rows before and after, and better than by a moving median', async () => {
    const [seen, unseen] = [await waves(900, 0), await waves(400, 2)];
    const [alone, beside] = [
      await learn(seen, { epochs: 8, batchSize: 128 }),
      await learn(seen, { epochs: 8, batchSize: 128, neighbours: 6, blocks: 0 }),
    ];
    const one = (await measure(unseen, alone.model)).metrics;
    const both = (await measure(unseen, beside.model)).metrics;
    expect(both.rmse!).toBeLessThan(0.7 * one.rmse!);
    expect(both.rmse!).toBeLessThan(both.baselines['moving-median']!.rmse!);
  });

  it('is read in chunks as it would be in one piece, and parts are series of their own', async () => {
    const long = await waves(20_000, 0);
    const { model: beside } = await learn(long, { epochs: 1, neighbours: 2, blocks: 0, maxRows: 2000 });
    const answer = await numbers(await clean(long, beside), 'a');
    // The first rows of the second part see no rows of the first: as if it stood alone.
    const reader = await openDataset(artifacts, long);
    const second = await writeDataset(artifacts, {
      columns: reader.columns,
      parts: [{ key: 'second', tables: [await reader.table(['a', 'b'], { part: 'second' })] }],
    });
    const own = await numbers(await clean(second, beside), 'a');
    expect(own).toHaveLength(20_000);
    expect(answer.subarray(20_000)).toEqual(own);
    // 16 384 is where chunks meet.
    const middle = await writeDataset(artifacts, {
      columns: reader.columns,
      parts: [{ tables: [await reader.table(['a', 'b'], { part: 'first', offset: 16_000, limit: 800 })] }],
    });
    const around = await numbers(await clean(middle, beside), 'a');
    for (let i = 10; i < 790; i++) expect(around[i]).toBeCloseTo(answer[16_000 + i]!, 5);
  });
});

it('bad options and tables are refused by name', async () => {
  expect(await failureOf(soil(wdbc, { level: -0.1 }))).toMatch(/OPTION_INVALID denoising\/corrupt: level/);
  expect(await failureOf(soil(wdbc, { noise: 'poisson' }))).toContain(
    'noise poisson is for pictures; of a table of numbers expected gaussian, swap.',
  );
  expect(await failureOf(soil(wdbc, { noise: 'swap', level: 1.5 }))).toContain('it is a share, expected at most 1');
  expect(await failureOf(learn(wdbc, { columns: ['diagnosis'] }))).toContain(
    'COLUMN_INVALID denoising/train: expected columns of numbers, found "diagnosis" (VARCHAR)',
  );
  expect(await failureOf(learn(wdbc, { columns: ['mean_radus'] }))).toMatch(
    /COLUMN_NOT_FOUND .*did you mean "mean_radius"/,
  );
  expect(await failureOf(learn(wdbc, { epochs: 0 }))).toMatch(/OPTION_INVALID .*epochs/);
  expect(await failureOf(measure(wdbc, model, { baselines: ['tv'] }))).toMatch(/OPTION_INVALID .*baselines/);
  const words = await writeDataset(artifacts, {
    columns: [{ name: 'word', physical: 'VARCHAR' }],
    parts: [
      { tables: [{ rows: 1, columns: { word: { kind: 'category', codes: Int32Array.of(0), categories: ['x'] } } }] },
    ],
  });
  expect(await failureOf(learn(words))).toContain(
    'COLUMN_NOT_FOUND denoising/train: expected a column of encoded pictures or columns of numbers, found word VARCHAR. Bring pictures in with data/images, tables with data/ingest.',
  );
});

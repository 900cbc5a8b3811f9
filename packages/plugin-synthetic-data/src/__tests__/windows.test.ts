import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { openDataset, windowRows, writeDataset } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, it } from 'vitest';
import { sample, train } from '../index.ts';
import { run as runSample } from '../sample.ts';
import { run as runTrain } from '../train.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-series-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const LENGTH = 6;
const ROWS = 4000;

it('series are drawn as windows, in which a step follows from the one before as in the real ones', async () => {
  const store = (await openStore(folder)).artifacts;
  // x(t) = 0.9 · x(t − 1) + noise of deviation √(1 − 0.81), so that x has deviation 1; y follows x one step later.
  const random = hostRandom(4, 1);
  const x = new Float64Array(ROWS);
  const y = new Float64Array(ROWS);
  for (let t = 1; t < ROWS; t++) {
    x[t] = 0.9 * x[t - 1]! + Math.sqrt(0.19) * random.normal();
    y[t] = -x[t - 1]! + 0.1 * random.normal();
  }
  const series = await writeDataset(store, {
    columns: ['t', 'x', 'y'].map((name) => ({ name, physical: name === 't' ? 'INTEGER' : 'DOUBLE' })),
    parts: [
      {
        tables: [
          {
            rows: ROWS,
            columns: {
              t: { kind: 'numeric', values: Float64Array.from(x.keys()) },
              x: { kind: 'numeric', values: x },
              y: { kind: 'numeric', values: y },
            },
          },
        ],
      },
    ],
  });
  const { data } = await windowRows(store, series, { time: 't', length: LENGTH, stride: 2 });
  const context = { artifacts: store, seed: 2, engine: 'onnxruntime' as const };
  const { model } = (
    await runStage({
      manifest: train,
      run: runTrain,
      inputs: { data },
      options: {
        exclude: ['window_start', 'window_end', 'window_first', 'window_last'],
        epochs: 80,
        learningRate: 3e-3,
        width: 64,
        latentDim: 8,
        batchSize: 128,
        modes: 1,
        dropout: 0,
        warmup: 5,
      },
      context,
    })
  ).outputs;
  const drawn = (
    await runStage({ manifest: sample, run: runSample, inputs: { model }, options: { rows: 2000 }, context })
  ).outputs.data;
  const names = ['x', 'y'].flatMap((name) => Array.from({ length: LENGTH }, (_, step) => `${name}_${step}`));
  const { columns } = await (await openDataset(store, drawn)).table();
  expect(Object.keys(columns)).toEqual(names);
  const cells = (name: string) => (columns[name] as { values: Float64Array }).values;
  const correlation = (a: string, b: string): number => {
    const [p, q] = [cells(a), cells(b)];
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value / values.length, 0);
    const [mp, mq] = [mean(p), mean(q)];
    const product = (u: Float64Array, mu: number, v: Float64Array, mv: number) =>
      u.reduce((sum, value, i) => sum + (value - mu) * (v[i]! - mv), 0);
    return product(p, mp, q, mq) / Math.sqrt(product(p, mp, p, mp) * product(q, mq, q, mq));
  };
  expect(Math.abs(correlation('x_2', 'x_3') - 0.9)).toBeLessThan(0.1);
  expect(Math.abs(correlation('x_0', 'x_5') - 0.9 ** 5)).toBeLessThan(0.15);
  expect(correlation('x_2', 'y_3')).toBeLessThan(-0.85);
  expect(correlation('x_4', 'y_3')).toBeGreaterThan(-0.9);
});

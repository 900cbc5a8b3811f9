import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, writeDataset } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';
import { runStage, type FakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as calibrateRun } from '../calibrate.ts';
import { run as driftRun } from '../drift.ts';
import { run as evaluateRun } from '../evaluate.ts';
import * as manifests from '../index.ts';
import { run as scoreRun } from '../score.ts';
import { run as trainRun } from '../train.ts';

const QUICK = { width: 16, latentDim: 2, epochs: 8, batchSize: 64 };
const ROWS = 1200;
let folder: string;
let store: ArtifactStore;
/** `y` is 2·x and a little noise, `c` says whether x is above 0, `fixed` is constant; `kind` odd: y is −2·x and further away. */
let table: ArtifactRef;
let model: ArtifactRef;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-anomaly-'));
  store = (await openStore(folder)).artifacts;
  const random = hostRandom(1, 1);
  const x = Float64Array.from({ length: ROWS }, () => random.normal());
  const noise = Float64Array.from({ length: ROWS }, () => 0.1 * random.normal());
  const raw = await writeDataset(store, {
    columns: ['i', 'x', 'noise'].map((name) => ({ name, physical: 'DOUBLE' })),
    parts: [
      {
        tables: [
          {
            rows: ROWS,
            columns: {
              i: { kind: 'numeric', values: Float64Array.from(x.keys()) },
              x: { kind: 'numeric', values: x },
              noise: { kind: 'numeric', values: noise },
            },
          },
        ],
      },
    ],
  });
  table = await queryDataset(store, {
    inputs: { raw },
    sql: `SELECT CASE WHEN i % 40 = 7 THEN 'odd' ELSE 'fine' END AS kind, x,
      CASE WHEN i % 40 = 7 THEN -2 * x - sign(x) ELSE 2 * x END + noise AS y,
      CASE WHEN x > 0 THEN 'high' ELSE 'low' END AS c, 5 AS fixed, i::INTEGER AS i,
      TIMESTAMP '2024-01-01' + INTERVAL (i * 10) MINUTE AS at FROM raw`,
  });
  model = (await train({})).outputs.model as ArtifactRef;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Result = { outputs: Record<string, any>; said: FakeContext['said'] };
const at = { seed: 3, engine: 'wasm' as const, modules: new URL('../', import.meta.url) };
const train = (options: object, data = table): Promise<Result> =>
  runStage({
    manifest: manifests.train,
    run: trainRun,
    inputs: { data },
    options: { ...QUICK, label: 'kind', normal: ['fine'], exclude: ['i', 'at'], ...options },
    context: { artifacts: store, ...at },
  });
const calibrate = (options: object, data = table): Promise<Result> =>
  runStage({
    manifest: manifests.calibrate,
    run: calibrateRun,
    inputs: { data, model },
    options: { label: 'kind', normal: ['fine'], ...options } as never,
    context: { artifacts: store, ...at },
  });
const score = (data: ArtifactRef, threshold?: ArtifactRef, options = {}, by = model): Promise<Result> =>
  runStage({
    manifest: manifests.score,
    run: scoreRun,
    inputs: { data, model: by, threshold },
    options,
    context: { artifacts: store, ...at },
  });
const query = (sql: string, inputs: Record<string, ArtifactRef> = { t: table }): Promise<ArtifactRef> =>
  queryDataset(store, { inputs, sql });
const texts = async (ref: ArtifactRef, name: string): Promise<string[]> => {
  const column = (await (await openDataset(store, ref)).table([name])).columns[name]!;
  return column.kind === 'category' ? Array.from(column.codes, (code) => column.categories[code]!) : [];
};
const numbers = async (ref: ArtifactRef, name: string): Promise<number[]> => {
  const column = (await (await openDataset(store, ref)).table([name])).columns[name]!;
  return column.kind === 'numeric' ? [...column.values] : [];
};

describe('train, calibrate, score, evaluate', () => {
  it('tells rows whose columns do not fit together, flags normal ones as rarely as asked, and says why', async () => {
    const threshold = (await calibrate({ level: 0.05, time: 'at' })).outputs;
    expect(threshold.metrics).toMatchObject({ method: 'conformal', level: 0.05, n: 1170, rowsPerDay: 1200 / 9 });
    expect(threshold.metrics.alarmsPerDay).toBeCloseTo((0.05 * 1200) / 9, 9);
    const scored = (await score(table, threshold.threshold)).outputs;
    const { metrics } = (
      await runStage({
        manifest: manifests.evaluate,
        run: evaluateRun,
        inputs: { scored: scored.data, model, threshold: threshold.threshold, train: table },
        options: { label: 'kind', normal: ['fine'], baselines: ['knn', 'lof', 'pca', 'hbos', 'iforest'] },
        context: { artifacts: store, ...at },
      })
    ).outputs as Record<string, any>;
    expect(metrics.anomalies).toBe(30);
    expect(metrics.auroc).toBeGreaterThan(0.95);
    expect(metrics.falseAlarms).toMatchObject({ level: 0.05, within: true });
    expect(Object.keys(metrics.baselines)).toHaveLength(5);
    expect(metrics.baselines.hbos.auroc).toBeLessThan(metrics.auroc);
    const odd = await query("SELECT * FROM s WHERE kind = 'odd' AND abs(x) > 0.7", { s: scored.data });
    const reasons = await texts(odd, 'why_1');
    expect(reasons.length).toBeGreaterThan(8);
    expect(reasons.filter((name) => name !== 'fixed').length / reasons.length).toBeGreaterThan(0.8);
    const seen = await texts(await query("SELECT * FROM s WHERE why_1 = 'y'", { s: scored.data }), 'why_1_seen');
    const y = await numbers(await query("SELECT * FROM s WHERE why_1 = 'y'", { s: scored.data }), 'y');
    expect(seen.map(Number)).toEqual(y.map((value) => Number(value.toPrecision(6))));
    expect((await openDataset(store, scored.flagged)).rows).toBe(scored.metrics.flagged);
  });

  it('gives an unseen category and a change of a constant column as anomalies with that reason', async () => {
    const strange = await query(
      `SELECT * REPLACE (CASE WHEN i = 1 THEN 'new' ELSE c END AS c, CASE WHEN i = 2 THEN 9 ELSE fixed END AS fixed)
       FROM t WHERE i IN (1, 2)`,
    );
    const { threshold } = (await calibrate({ level: 0.02 })).outputs;
    const { outputs, said } = await score(strange, threshold);
    expect(await texts(outputs.data, 'why_1')).toEqual(['c', 'fixed']);
    expect(await texts(outputs.data, 'why_1_seen')).toEqual(['new', '9']);
    expect(await texts(outputs.data, 'why_1_expected')).toEqual([expect.stringMatching(/high|low/), '5']);
    expect(await numbers(outputs.data, 'anomaly')).toEqual([1, 1]);
    expect(said.warnings.join()).toContain('column "c" holds categories the model has not seen');
  });

  it('flags a table by false-discovery rate, and by a tail below 1 / n', async () => {
    const bh = (await calibrate({ level: 0.1, method: 'bh' })).outputs.threshold;
    const flagged = (await score(table, bh)).outputs.flagged as ArtifactRef;
    const kinds = await texts(flagged, 'kind');
    expect(kinds.length).toBeGreaterThan(15);
    expect(kinds.filter((kind) => kind === 'fine').length / kinds.length).toBeLessThan(0.3);
    const pot = (await calibrate({ level: 1e-5, method: 'pot' })).outputs;
    expect(pot.metrics.threshold).toBeGreaterThan((await calibrate({ level: 0.01 })).outputs.metrics.threshold);
    const far = await query('SELECT * REPLACE (x + 40 AS x, y - 50 AS y) FROM t WHERE i < 3');
    const p = await numbers((await score(far, pot.threshold)).outputs.data, 'p_value');
    expect(Math.max(...p)).toBeLessThan(1 / 1170);
  });

  it('gives scores only without a threshold, and says so rather than that nothing was flagged', async () => {
    const { outputs, said } = await score(table);
    expect(outputs.metrics).toEqual({ rows: 1200, flagged: null, flaggedShare: null, expectedFalse: null });
    expect(said.info).toContain('no threshold: scores only');
    expect((await openDataset(store, outputs.flagged as ArtifactRef)).rows).toBe(0);
  });

  it('sets contamination aside before it learns', async () => {
    const { outputs } = await train({
      label: undefined,
      normal: undefined,
      exclude: ['i', 'at', 'kind'],
      contamination: 0.025,
    });
    expect(outputs.metrics.trimmed).toBe(30);
    const { data } = (await score(table, undefined, {}, outputs.model)).outputs;
    const bad = await numbers(
      await query("SELECT score FROM s WHERE kind = 'odd' AND abs(x) > 0.7", { s: data }),
      'score',
    );
    const good = (await numbers(await query("SELECT score FROM s WHERE kind = 'fine'", { s: data }), 'score')).sort(
      (a, b) => a - b,
    );
    const middle = bad.sort((a, b) => a - b)[bad.length >> 1]!;
    expect(middle).toBeGreaterThan(good[Math.floor(good.length * 0.97)]!);
  });

  it('tries widths and keeps the one told best', async () => {
    const { metrics } = (await train({ latentDims: [1, 3] })).outputs;
    const widths = metrics.widths as Record<string, number>;
    expect(Object.keys(widths)).toEqual(['1', '3']);
    expect(widths[String(metrics.latentDim)]).toBe(Math.max(...Object.values(widths)));
  });
});

describe('bad input, in words', () => {
  it('no row is normal', async () => {
    await expect(train({ normal: ['good'] })).rejects.toThrow(
      /no row is normal: expected kind to be one of good, found fine \(1170\), odd \(30\)/,
    );
  });

  it('ten rows', async () => {
    const ten = await query("SELECT * FROM t WHERE kind = 'fine' LIMIT 10");
    await expect(train({}, ten)).rejects.toThrow(/expected at least 20 normal rows.*found 10/);
  });

  it('too few calibration rows for the level: says which is attainable', async () => {
    const few = await query("SELECT * FROM t WHERE kind = 'fine' LIMIT 60");
    await expect(calibrate({ level: 0.001 }, few)).rejects.toThrow(
      /level 0.001 needs at least 999 normal rows, found 60: the lowest level they support is 0.016.*method pot/,
    );
    await expect(calibrate({ level: 0.001, method: 'pot' }, few)).rejects.toThrow(/at least 200 normal rows/);
  });

  it('the label among the inputs', async () => {
    await expect(train({ columns: ['x', 'kind'] })).rejects.toThrow(/asks to learn "kind", the label/);
    const knows = (await train({ label: undefined, normal: undefined, exclude: ['i', 'at'] })).outputs
      .model as ArtifactRef;
    const scored = (await score(table, undefined, {}, knows)).outputs.data as ArtifactRef;
    await expect(
      runStage({
        manifest: manifests.evaluate,
        run: evaluateRun,
        inputs: { scored, model: knows, threshold: undefined, train: undefined },
        options: { label: 'kind', normal: ['fine'] },
        context: { artifacts: store, ...at },
      }),
    ).rejects.toThrow(/the model learned column "kind", which is the label/);
  });

  it('a threshold of another model', async () => {
    const { threshold } = (await calibrate({ level: 0.05 })).outputs;
    const other = (await train({ epochs: 2 })).outputs.model as ArtifactRef;
    await expect(score(table, threshold, {}, other)).rejects.toThrow(/calibrated for model .* Calibrate again/);
  });

  it('rows that are all alike are learned, and said to be so', async () => {
    const alike = await query("SELECT 'fine' AS kind, 1.0 AS x, 2.0 AS y FROM t");
    const { outputs } = await train({ exclude: [] }, alike);
    const { data } = (
      await score(
        await query('SELECT 1.0 AS x, CASE WHEN i = 1 THEN 7.0 ELSE 2.0 END AS y FROM t WHERE i < 3'),
        undefined,
        {},
        outputs.model,
      )
    ).outputs;
    const scores = await numbers(data, 'score');
    expect(scores.every(Number.isFinite)).toBe(true);
    expect(scores[1]).toBeGreaterThan(Math.max(scores[0]!, scores[2]!));
  });

  it('text that is different in every row is refused, with advice', async () => {
    const ids = await query("SELECT *, 'row ' || i AS id FROM t");
    await expect(train({}, ids)).rejects.toThrow(
      /column "id" looks like text or an id: 936 different values in 936 cells; leave it out of learning: exclude: \[id\]/,
    );
  });

  it('200 categories, a heavy tail and whole numbers that are names are learned, and what is strange there is told', async () => {
    const wide = await query(
      `SELECT kind, x, 'place ' || (i * 7 % 200) AS place, exp(4 * y) AS heavy, (i % 3) * 100 AS code FROM t`,
    );
    const { outputs } = await train({ exclude: [], categorical: ['code'] }, wide);
    const strange = await query(
      `SELECT * REPLACE (CASE WHEN row_number() OVER () = 1 THEN 'nowhere' ELSE place END AS place,
         CASE WHEN row_number() OVER () = 2 THEN 1e12 ELSE heavy END AS heavy,
         CASE WHEN row_number() OVER () = 3 THEN 50 ELSE code END AS code) FROM w LIMIT 40`,
      { w: wide },
    );
    const { data } = (await score(strange, undefined, {}, outputs.model)).outputs;
    const scores = await numbers(data, 'score');
    expect(scores.every(Number.isFinite)).toBe(true);
    const usual = scores.slice(3).sort((a, b) => a - b);
    expect(Math.min(scores[1]!, scores[2]!)).toBeGreaterThan(usual[Math.floor(usual.length / 2)]!);
    expect((await texts(data, 'why_1')).slice(0, 2)).toEqual(['place', 'heavy']);
    expect([await texts(data, 'why_1'), await texts(data, 'why_2')].map((why) => why[2])).toContain('code');
  });

  it('rows that are not like those calibrated on: the rate is said not to hold', async () => {
    const early = await query('SELECT * FROM t WHERE i < 600');
    const { threshold } = (await calibrate({ level: 0.05 }, early)).outputs;
    const later = await query('SELECT * REPLACE (y + 0.4 AS y) FROM t WHERE i >= 600');
    const scored = (await score(later, threshold)).outputs.data as ArtifactRef;
    const { outputs, said } = await runStage({
      manifest: manifests.evaluate,
      run: evaluateRun,
      inputs: { scored, model, threshold, train: undefined },
      options: { label: 'kind', normal: ['fine'] },
      context: { artifacts: store, ...at },
    });
    expect(outputs.metrics).toMatchObject({ exchangeable: false, falseAlarms: { within: false } });
    expect(said.warnings.join()).toMatch(
      /these rows are not like the 585 calibrated on.*Calibrate on rows of the same/,
    );
  });
});

describe('drift', () => {
  const drift = async (data: ArtifactRef, by?: ArtifactRef) =>
    (
      await runStage({
        manifest: manifests.drift,
        run: driftRun,
        inputs: { data, model: by },
        options: {},
        context: { artifacts: store, ...at },
      })
    ).outputs.metrics as any;

  it('finds none in rows of the same kind, and names what moved', async () => {
    expect(await drift(await query("SELECT * FROM t WHERE i % 2 = 0 AND kind = 'fine'"), model)).toMatchObject({
      drifted: false,
    });
    const moved = await drift(
      await query("SELECT * REPLACE (x + 1 AS x, CASE WHEN i % 3 = 0 THEN 'new' ELSE c END AS c) FROM t"),
      model,
    );
    expect(moved.drifted).toBe(true);
    expect(moved.reason).toContain('x');
    expect(moved.columns.c.unseen).toBeCloseTo(1 / 3, 2);
    expect(moved.columns.fixed).toMatchObject({ psi: 0, ks: 0 });
    // N(1, 1) against N(0, 1): the distributions differ by 2Φ(½) − 1 = 0.383 at most.
    expect(moved.columns.x.ks).toBeCloseTo(0.383, 1);
  });

  it('is said to be there without a model', async () => {
    expect(await drift(table)).toMatchObject({ drifted: true, reason: 'there is no model to compare with yet' });
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, readFigures, type ArtifactStore } from '@hourglass/artifacts';
import { readOutOf } from '@hourglass/autoencoder/read-out';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, type ColumnData } from '@hourglass/dataset';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runEvaluate } from '../evaluate.ts';
import * as stages from '../index.ts';
import { run as runInterpolate } from '../interpolate.ts';
import { run as runReconstruct } from '../reconstruct.ts';
import { run as runSample } from '../sample.ts';
import { run as runTrain } from '../train.ts';

const file = (name: string): string =>
  fileURLToPath(new URL(`../../../../workflows/data/${name}.parquet`, import.meta.url));
let folder: string;
let store: ArtifactStore;
/** Credit rows with an id, dates and a column that is never below another. */
let data: ArtifactRef;
let test: ArtifactRef;
let model: ArtifactRef;

const QUICK = { epochs: 25, width: 64, latentDim: 6, batchSize: 128, warmup: 5, modes: 6, beta: 0.3 };
const RULES = {
  unique: ['id', 'code'],
  constraints: ['Amount <= Ceiling', 'Age >= 18'],
  combinations: [['Home', 'Tenure']],
};
const context = (seed = 3) => ({ artifacts: store, seed, engine: 'onnxruntime' as const });
const query = (inputs: Record<string, ArtifactRef>, sql: string) => queryDataset(store, { inputs, sql });
const credit = (from: number, to: number): Promise<ArtifactRef> =>
  query(
    {},
    `SELECT (1000 + i)::INTEGER AS id, printf('C-%05d', i * 7919 % 99991) AS code, * EXCLUDE (i),
       (Amount * (1 + (i % 5) / 10))::DOUBLE AS Ceiling, Home = 'owner' AS Owner,
       coalesce(CASE Home WHEN 'owner' THEN 'own' WHEN 'rent' THEN 'let' ELSE 'else' END, 'none') AS Tenure,
       DATE '2020-01-01' + (i % 700)::INTEGER AS Opened
     FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${file('credit')}')) WHERE i BETWEEN ${from} AND ${to} ORDER BY i`,
  );
const train = async (options: Record<string, unknown> = {}, input = data, seed = 3) =>
  runStage({
    manifest: stages.train,
    run: runTrain,
    inputs: { data: input },
    options: { ...QUICK, ...RULES, ...options },
    context: context(seed),
  });
const sample = async (options = {}, from = model, seed = 3) =>
  (
    await runStage({
      manifest: stages.sample,
      run: runSample,
      inputs: { model: from },
      options,
      context: context(seed),
    })
  ).outputs.data;
const table = async (ref: ArtifactRef) => (await openDataset(store, ref)).table();
const numbers = (column: ColumnData): Float64Array => (column as { values: Float64Array }).values;
const texts = (column: ColumnData): (string | null)[] => {
  const { codes, categories } = column as Extract<ColumnData, { kind: 'category' }>;
  return Array.from(codes, (code) => (code < 0 ? null : categories[code]!));
};
const missing = (column: ColumnData): number =>
  column.kind === 'numeric'
    ? column.values.filter(Number.isNaN).length / column.values.length
    : column.codes.filter((code) => code < 0).length / column.codes.length;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-synthetic-'));
  store = (await openStore(folder)).artifacts;
  data = await credit(1, 1200);
  test = await credit(1201, 2000);
  model = (await train()).outputs.model;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('notes its curve beside the model, learning rates among it', async () => {
  const { curves } = (await store.annotation(model.digest)) as { curves: { epoch: number; learningRate?: number }[][] };
  expect(curves[0]!.length).toBeGreaterThan(2);
  for (const { epoch, learningRate } of curves[0]!.slice(1)) expect([epoch, learningRate! > 0]).toEqual([epoch, true]);
});

describe('sample', () => {
  it('gives the columns, types and order of the table learned from', async () => {
    const columns = async (ref: ArtifactRef) => (await openDataset(store, ref)).columns;
    expect(await columns(await sample({ rows: 50 }))).toEqual(await columns(data));
  });

  it('gives as many rows as were learned from, or as asked for, the same from the same seed', async () => {
    expect((await openDataset(store, await sample())).rows).toBe(1200);
    const [a, b, c] = [await sample({ rows: 90 }), await sample({ rows: 90 }), await sample({ rows: 90 }, model, 4)];
    expect((await openDataset(store, a)).rows).toBe(90);
    expect(a.digest).toBe(b.digest);
    expect(a.digest).not.toBe(c.digest);
  });

  it('keeps whole numbers whole, ranges, categories and the share missing', async () => {
    const [real, drawn] = [await table(data), await table(await sample({ rows: 2000 }))];
    const incomes = numbers(drawn.columns.Income!).filter((value) => !Number.isNaN(value));
    const seen = numbers(real.columns.Income!).filter((value) => !Number.isNaN(value));
    expect(incomes.every(Number.isInteger)).toBe(true);
    expect(Math.min(...incomes)).toBeGreaterThanOrEqual(Math.min(...seen));
    expect(Math.max(...incomes)).toBeLessThanOrEqual(Math.max(...seen));
    expect(new Set(texts(drawn.columns.Job!))).toEqual(new Set(texts(real.columns.Job!)));
    for (const name of ['Income', 'Assets', 'Debt'])
      expect(Math.abs(missing(drawn.columns[name]!) - missing(real.columns[name]!)), name).toBeLessThan(0.04);
    expect(missing(real.columns.Income!)).toBeGreaterThan(0.03);
    expect(missing(drawn.columns.Amount!)).toBe(0);
    // Days, not moments within them.
    expect(numbers(drawn.columns.Opened!).every((value) => value % 86_400_000 === 0)).toBe(true);
  });

  it('keeps every declared rule in every row: comparisons, unique ids, fixed combinations', async () => {
    const { rows, columns } = await table(await sample({ rows: 3000 }));
    const [amount, ceiling, age] = ['Amount', 'Ceiling', 'Age'].map((name) => numbers(columns[name]!));
    for (let row = 0; row < rows; row++) {
      expect(amount![row]!).toBeLessThanOrEqual(ceiling![row]!);
      expect(age![row]!).toBeGreaterThanOrEqual(18);
    }
    expect(new Set(numbers(columns.id!)).size).toBe(rows);
    expect(Math.min(...numbers(columns.id!))).toBeGreaterThan(2200);
    const codes = texts(columns.code!);
    expect(new Set(codes).size).toBe(rows);
    expect(codes.every((code) => /^C-\d{5}$/.test(code!))).toBe(true);
    // A pattern with too little room gives way to counting on.
    const short = await query({ data }, `SELECT printf('K%04d', id) AS k, Status, Amount FROM data`);
    const counted = (await train({ unique: ['k'], constraints: [], combinations: [], epochs: 1 }, short)).outputs.model;
    const ks = texts((await table(await sample({ rows: 1500 }, counted))).columns.k!);
    expect(ks.slice(0, 2)).toEqual(['K2201', 'K2202']);
    expect(new Set(ks).size).toBe(1500);
    const pair = (each: typeof columns, row: number) => `${texts(each.Home!)[row]} ${texts(each.Tenure!)[row]}`;
    const real = await table(data);
    const allowed = new Set(Array.from({ length: real.rows }, (_, row) => pair(real.columns, row)));
    const [home, tenure] = [texts(columns.Home!), texts(columns.Tenure!)];
    expect(home.every((name, row) => allowed.has(`${name} ${tenure[row]}`))).toBe(true);
  });

  it('meets conditions in every row: a value, one of several, a range, true', async () => {
    const where = { Status: 'bad', Job: ['fixed', 'partime'], Age: { min: 30, max: 50 }, Owner: true };
    const { rows, columns } = await table(await sample({ rows: 120, where }));
    expect(rows).toBe(120);
    expect(new Set(texts(columns.Status!))).toEqual(new Set(['bad']));
    expect(texts(columns.Job!).every((job) => where.Job.includes(job!))).toBe(true);
    expect(numbers(columns.Age!).every((age) => age >= 30 && age <= 50)).toBe(true);
    expect(numbers(columns.Owner!).every((owner) => owner === 1)).toBe(true);
  });

  it('balances classes to a row', async () => {
    const { columns } = await table(await sample({ rows: 401, balance: 'Status' }));
    const bad = texts(columns.Status!).filter((status) => status === 'bad').length;
    expect([200, 201]).toContain(bad);
    // Mixed, not one class after the other.
    expect(new Set(texts(columns.Status!).slice(0, 20)).size).toBe(2);
  });

  it('draws no copy of a row that occurs once, unless that is allowed', async () => {
    // Few enough columns and values that copies come up by chance.
    const narrow = await query(
      { data },
      'SELECT Status, Home, Marital, Records, Job, (Age // 5)::INTEGER AS age FROM data LIMIT 150',
    );
    const { outputs } = await train({ unique: [], constraints: [], combinations: [], epochs: 20 }, narrow);
    const evaluate = async (copies: 'refuse' | 'allow') => {
      const key = ({ columns }: Awaited<ReturnType<typeof table>>) => {
        const cells = Object.values(columns).map((column) =>
          column.kind === 'numeric' ? [...column.values] : texts(column),
        );
        return cells[0]!.map((_, row) => cells.map((cell) => String(cell[row])).join());
      };
      const real = key(await table(narrow));
      const once = new Set(real.filter((row) => real.indexOf(row) === real.lastIndexOf(row)));
      return key(await table(await sample({ rows: 400, copies }, outputs.model))).filter((row) => once.has(row)).length;
    };
    expect(await evaluate('allow')).toBeGreaterThan(0);
    expect(await evaluate('refuse')).toBe(0);
  });

  it('draws from N(0, I) as well, and rows are more like the real ones from the posterior', async () => {
    const score = async (from: 'posterior' | 'normal') =>
      (await evaluate(await sample({ from }), { baselines: [], label: undefined })).outputs.metrics.quality;
    expect(await score('posterior')).toBeGreaterThan(await score('normal'));
  });
});

const evaluate = (
  synthetic: ArtifactRef,
  options: Record<string, unknown> = {},
  inputs: Record<string, ArtifactRef> = {},
) =>
  runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { synthetic, train: data, test, model, ...inputs },
    options: { label: 'Status', ...options },
    context: context(),
  });

describe('evaluate', () => {
  it('measures likeness, usefulness and privacy beside simple generators', async () => {
    const { metrics, figures } = (await evaluate(await sample())).outputs;
    expect(metrics.quality).toBeGreaterThan(0.8);
    expect(metrics.quality).toBeCloseTo((metrics.shapes + metrics.pairs) / 2, 12);
    expect(metrics.scoredBy).toBe('auroc');
    expect(metrics.real.logistic).toBeGreaterThan(0.75);
    // Columns drawn by themselves are shaped as the real ones and teach nothing.
    expect(metrics.baselines.independent!.shapes).toBeGreaterThan(0.95);
    expect(metrics.baselines.independent!.pairs).toBeLessThan(metrics.baselines.copula!.pairs);
    expect(metrics.baselines.independent!.utility.logistic).toBeLessThan(0.62);
    expect(metrics.utility.logistic).toBeGreaterThan(metrics.baselines.independent!.utility.logistic!);
    expect(metrics.copies).toBe(0);
    expect(metrics.closest.low).toBeLessThan(metrics.closest.share);
    expect(metrics.closest.share).toBeGreaterThan(0.35);
    expect(metrics.closest.share).toBeLessThan(0.65);
    expect((await readFigures(store, figures)).map(({ id }) => id)).toEqual(['marginals', 'pair-trends', 'latents']);
  });

  it('calls copies what they are: near the rows learned from, alike in everything, and useful', async () => {
    const { metrics } = (await evaluate(data, { baselines: [] })).outputs;
    expect(metrics.shapes).toBe(1);
    expect(metrics.pairs).toBeCloseTo(1, 12);
    expect(metrics.copies).toBe(1200);
    expect(metrics.closest.share).toBeGreaterThan(0.7);
    expect(metrics.utility.logistic).toBeCloseTo(metrics.real.logistic!, 12);
  });

  it('tells rows apart that are nothing like the real ones', async () => {
    const odd = await query({ data }, 'SELECT * REPLACE ((Amount * 3)::INTEGER AS Amount, NULL AS Income) FROM data');
    const same = await query({ data: odd }, 'SELECT * REPLACE (Income::INTEGER AS Income) FROM data');
    const { metrics } = (await evaluate(same, { baselines: [] })).outputs;
    expect(metrics.discriminator).toBeGreaterThan(0.95);
    expect(metrics.nullGap).toBeGreaterThan(0.9);
  });

  it('refuses ids, a label with one class, and tables of other columns, by name', async () => {
    const drawn = await sample({ rows: 200 });
    await expect(evaluate(drawn, {}, { model: undefined as never })).rejects.toThrow(
      /column "code" has \d+ different values .*exclude: \[code\]/,
    );
    await expect(evaluate(drawn, { label: 'status' })).rejects.toThrow(/no common column "status"/);
    const ones = await query({ data }, `SELECT * REPLACE ('good' AS Status) FROM data`);
    await expect(evaluate(drawn, {}, { train: ones })).rejects.toThrow(/2 to 200 classes, found "Status" with 1/);
    const less = await query({ data }, 'SELECT * EXCLUDE (Age) FROM data');
    await expect(evaluate(drawn, {}, { test: less })).rejects.toThrow(/`test` lacks Age/);
    const few = await query({ data }, 'SELECT * FROM data LIMIT 5');
    await expect(evaluate(few)).rejects.toThrow(/at least 20 rows in `synthetic`, found 5/);
  });
});

describe('interpolate and reconstruct', () => {
  it('go from one row to another, each end as the model tells it', async () => {
    const ends = await query({ data }, 'SELECT * FROM data LIMIT 4');
    const way = async (options = {}) =>
      (
        await runStage({
          manifest: stages.interpolate,
          run: runInterpolate,
          inputs: { data: ends, model },
          options,
          context: context(),
        })
      ).outputs.data;
    const { rows, columns } = await table(await way({ steps: 5 }));
    expect(rows).toBe(10);
    expect([...numbers(columns.pair!)]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    expect([...numbers(columns.share!)].slice(0, 5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    const { outputs } = await runStage({
      manifest: stages.reconstruct,
      run: runReconstruct,
      inputs: { data: ends, model },
      context: context(),
    });
    const told = await table(outputs.data);
    const [price, again] = [numbers(columns.Price!), numbers(told.columns.Price!)];
    expect([price[0], price[4], price[5], price[9]]).toEqual([...again]);
    // Between its ends, a way leaves neither.
    expect(price[2]).toBeGreaterThanOrEqual(Math.min(price[0]!, price[4]!) * 0.5);
    await expect(way({ pairs: 3 })).rejects.toThrow(/two rows a way, 6 in all, found 4/);
  });

  it('are what applying a model means', async () => {
    expect(await readOutOf(store, model)).toEqual({
      kind: 'generate',
      stage: 'synthetic-data/reconstruct',
      output: 'data',
    });
  });
});

describe('train says what is wrong', () => {
  const small = { epochs: 1, width: 8, unique: [], constraints: [], combinations: [], exclude: ['id', 'code'] };

  it('of text that is all different, and of too many categories, with advice', async () => {
    await expect(train({ unique: [], constraints: [], combinations: [] })).rejects.toThrow(
      /column "code" looks like text or an id: 1200 different values.*exclude: \[code\]/,
    );
    const many = await query({ data }, `SELECT * EXCLUDE (code), 'town ' || (id % 300) AS town FROM data`);
    await expect(train({ ...small, exclude: ['id'] }, many)).rejects.toThrow(
      /"town" has more categories than the 256 of maxCategories/,
    );
  });

  it('but learns a column of 200 categories', async () => {
    const towns = await query({ data }, `SELECT 'town ' || (id % 200) AS town, Status FROM data`);
    const { outputs } = await train({ ...small, exclude: [] }, towns);
    expect((await openDataset(store, await sample({ rows: 30 }, outputs.model))).rows).toBe(30);
  });

  it('of constraints that no row keeps, that training rows break, or that name no number', async () => {
    const constraints = (...texts: string[]) => train({ ...small, constraints: texts });
    await expect(constraints('Amount < Price', 'Price < Amount')).rejects.toThrow(
      /contradict each other: Amount < Price and Price < Amount/,
    );
    await expect(constraints('Age >= 40', 'Age <= 30')).rejects.toThrow(/contradict each other/);
    await expect(constraints('Price <= Amount')).rejects.toThrow(
      /"Price <= Amount" does not hold in \d+ of 1200 training rows/,
    );
    await expect(constraints('Amont <= Price')).rejects.toThrow(/did you mean "Amount"\?/);
    await expect(constraints('Amount is small')).rejects.toThrow(/expected a comparison such as a <= b/);
  });

  it('of ids that repeat, and of combinations of what is told by intervals', async () => {
    await expect(train({ ...small, exclude: ['code'], unique: ['Age'] })).rejects.toThrow(
      /column "Age" repeats \d+ of its 1200 values/,
    );
    await expect(train({ ...small, unique: ['ident'] })).rejects.toThrow(/no column "ident"/);
    await expect(train({ ...small, combinations: [['Amount', 'Home']] })).rejects.toThrow(
      /"Amount" takes too many values/,
    );
    await expect(train({ ...small, combinations: [['Hom', 'Job']] })).rejects.toThrow(/did you mean "Home"\?/);
  });

  it('of ten rows', async () => {
    await expect(train(small, await query({ data }, 'SELECT * FROM data LIMIT 10'))).rejects.toThrow(
      /at least 20 rows, found 10: rows drawn from so few would be copies/,
    );
  });
});

describe('sample says what is wrong', () => {
  it('of conditions that never occurred, with what did', async () => {
    await expect(sample({ where: { Status: 'bat' } })).rejects.toThrow(
      /Status = bat never occurred in training.*did you mean "bad"\?.*Values: good, bad/,
    );
    await expect(sample({ where: { Age: { min: 200 } } })).rejects.toThrow(
      /Age from 200 to Infinity never occurred.*lies between \d+ and \d+/,
    );
    await expect(sample({ where: { Aged: 4 } })).rejects.toThrow(/not learned a column "Aged"; did you mean "Age"\?/);
    await expect(sample({ where: { Job: { min: 1 } } })).rejects.toThrow(/Job is no number/);
  });

  it('of conditions that contradict a constraint', async () => {
    await expect(sample({ where: { Amount: { min: 2000 }, Ceiling: { max: 1000 } } })).rejects.toThrow(
      /where contradicts the constraint "Amount <= Ceiling"/,
    );
  });

  it('of conditions the model has hardly seen together', async () => {
    const where = { Age: { max: 19 }, Marital: 'widow', Seniority: { min: 30 } };
    await expect(sample({ rows: 50, where })).rejects.toThrow(/of \d+ candidates \d+ kept the conditions/);
  });

  it('of balance by a number, or by what is a condition, and of other models', async () => {
    await expect(sample({ rows: 10, balance: 'Price' })).rejects.toThrow(/"Price", a number of many values/);
    await expect(sample({ rows: 10, balance: 'Status', where: { Status: 'bad' } })).rejects.toThrow(
      /both where and balance/,
    );
    const plain = await store.put({ kind: 'model', parts: [], meta: { application: 'imputation' } });
    await expect(sample({ rows: 10 }, plain)).rejects.toThrow(/is of imputation and generates no rows/);
  });
});

it('learns integer codes, heavy tails and constants without leaving what was seen', async () => {
  const odd = await query(
    {},
    `SELECT (i % 7)::INTEGER AS code, exp(3 * sqrt(-2 * ln((i % 997 + 1) / 998.0)) * cos(i))::DOUBLE AS heavy, 5 AS five, (CASE WHEN i % 4 = 0 THEN 0 ELSE i * 1.25 END)::DOUBLE AS zeros FROM range(800) t(i)`,
  );
  const { outputs } = await train({ unique: [], constraints: [], combinations: [], epochs: 15 }, odd);
  const [real, drawn] = [await table(odd), await table(await sample({ rows: 1500 }, outputs.model))];
  expect([...new Set(numbers(drawn.columns.code!))].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(new Set(numbers(drawn.columns.five!))).toEqual(new Set([5]));
  const [seen, made] = [numbers(real.columns.heavy!), numbers(drawn.columns.heavy!)];
  expect(Math.max(...made)).toBeLessThanOrEqual(Math.max(...seen));
  const median = (values: Float64Array) => values.slice().sort()[values.length >> 1]!;
  expect(Math.abs(Math.log(median(made) / median(seen)))).toBeLessThan(0.7);
  const zeros = numbers(drawn.columns.zeros!).filter((value) => value === 0).length / 1500;
  expect(Math.abs(zeros - 0.25)).toBeLessThan(0.06);
});

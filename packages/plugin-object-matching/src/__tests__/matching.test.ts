import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, readFigures, type ArtifactStore } from '@hourglass/artifacts';
import { readOutOf } from '@hourglass/autoencoder/read-out';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runAdd } from '../add.ts';
import { run as runIndex } from '../build-index.ts';
import { run as runEvaluate } from '../evaluate.ts';
import { run as runGrow } from '../grow.ts';
import * as stages from '../index.ts';
import { run as runMatch } from '../match.ts';
import { run as runRemove } from '../remove.ts';
import { run as runTrain } from '../train.ts';
import { digits } from './support/digits.ts';

let folder: string;
let store: ArtifactStore;
/** 150 digits named a1 … a150; 40 others, q1 …; */
let gallery: ArtifactRef;
let others: ArtifactRef;
let model: ArtifactRef;
let index: ArtifactRef;

const QUICK = { exclude: ['label', 'name'], normalisation: 'pooled', width: 16, latentDim: 8, epochs: 2 } as const;
const context = (seed = 3) => ({ artifacts: store, seed });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-matching-'));
  store = (await openStore(folder)).artifacts;
  gallery = await digits(store, 'a', 1, 150);
  others = await digits(store, 'q', 1001, 1040);
  model = await train(3);
  index = (await build({ id: 'name' })).outputs.index;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const train = async (seed: number, options = {}) =>
  (
    await runStage({
      manifest: stages.train,
      run: runTrain,
      inputs: { data: gallery },
      options: { ...QUICK, exclude: [...QUICK.exclude], ...options },
      context: context(seed),
    })
  ).outputs.model;
const build = (options = {}, data = gallery, by = model) =>
  runStage({ manifest: stages.index, run: runIndex, inputs: { data, model: by }, options, context: context() });
const match = (data: ArtifactRef, options = {}, of = index, by?: ArtifactRef) =>
  runStage({
    manifest: stages.match,
    run: runMatch,
    inputs: { index: of, data, model: by },
    options,
    context: context(),
  });
const add = (data: ArtifactRef, options = {}, of = index, by?: ArtifactRef) =>
  runStage({ manifest: stages.add, run: runAdd, inputs: { index: of, data, model: by }, options, context: context() });
const remove = (options = {}, of = index, data?: ArtifactRef) =>
  runStage({ manifest: stages.remove, run: runRemove, inputs: { index: of, data }, options, context: context() });
const grow = (options = {}, by = model, data = gallery) =>
  runStage({ manifest: stages.grow, run: runGrow, inputs: { data, model: by }, options, context: context() });
const evaluate = (options = {}, of = index, data = others) =>
  runStage({
    manifest: stages.evaluate,
    run: runEvaluate,
    inputs: { index: of, gallery, data },
    options,
    context: context(),
  });
const query = (inputs: Record<string, ArtifactRef>, sql: string) => queryDataset(store, { inputs, sql });
/** Rows of a dataset as records of numbers and text. */
async function rows(ref: ArtifactRef): Promise<Record<string, number | string>[]> {
  const table = await (await openDataset(store, ref)).table();
  return Array.from({ length: table.rows }, (_, i) =>
    Object.fromEntries(
      Object.entries(table.columns).map(([name, data]) => [
        name,
        data.kind === 'numeric' ? data.values[i]! : data.categories[data.codes[i]!]!,
      ]),
    ),
  );
}

describe('match', () => {
  it('finds an object of the gallery itself first, at no distance, with its payload', async () => {
    const found = await rows((await match(gallery, { k: 3, queryId: 'name' })).outputs.data);
    expect(Object.keys(found[0]!)).toEqual(['query', 'rank', 'match', 'distance', 'margin', 'label']);
    expect(found).toHaveLength(450);
    for (const row of found.filter(({ rank }) => rank === 1)) {
      expect(row.match).toBe(row.query);
      expect(row.distance).toBeLessThan(1e-4);
    }
  });

  it('finds the same objects whatever their payload and the rows asked for are called', async () => {
    const odd = (data: ArtifactRef) =>
      query({ data }, 'SELECT *, 7 AS row, 8 AS __row, 9 AS file_row_number FROM data');
    const oddly = (await build({ id: 'name', payload: ['row', '__row', 'file_row_number'] }, await odd(gallery)))
      .outputs;
    const [found, plain] = await Promise.all([
      rows((await match(await odd(others), { k: 2, queryId: '__row' }, oddly.index)).outputs.data),
      rows((await match(others, { k: 2, queryId: 'name' })).outputs.data),
    ]);
    expect(found.map(({ match: object }) => object)).toEqual(plain.map(({ match: object }) => object));
    expect(found[0]).toMatchObject({ query: 8, row: 7, __row: 8, file_row_number: 9 });
  });

  it('ranks by Euclidean distance and says how much farther the next one is', async () => {
    const found = await rows((await match(others, { k: 4 })).outputs.data);
    expect(found.map(({ rank }) => rank).slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(found[4]!.query).toBe(1);
    for (let i = 0; i + 1 < found.length; i++) {
      if (found[i]!.query !== found[i + 1]!.query) continue;
      expect(found[i]!.margin as number).toBeCloseTo(
        (found[i + 1]!.distance as number) - (found[i]!.distance as number),
        9,
      );
      expect(found[i]!.margin as number).toBeGreaterThanOrEqual(0);
    }
    const same = found.filter(({ rank }) => rank === 1).length;
    expect(same).toBe(40);
  });

  it('keeps the indexes it searched last, and answers the same from more of them at once than it keeps', async () => {
    const made = await Promise.all(
      [4, 5, 6].map(async (dims) => (await build({ id: 'name', dims, search: 'approximate' })).outputs.index),
    );
    const ask = async (of: ArtifactRef) => rows((await match(others, { k: 2 }, of)).outputs.data);
    const apart = [await ask(made[0]!), await ask(made[1]!), await ask(made[2]!)];
    expect(apart[0]).not.toEqual(apart[2]);
    expect(await Promise.all([...made, ...made].map(ask))).toEqual([...apart, ...apart]);
    await expect(match(others, { k: 151 }, made[0])).rejects.toThrow(/k: 151/);
    expect(await ask(made[0]!)).toEqual(apart[0]);
  });

  it('an approximate index finds what an exact one finds, and has equal bytes each time', async () => {
    const approximate = (await build({ id: 'name', search: 'approximate' })).outputs;
    expect((await build({ id: 'name', search: 'approximate' })).outputs.index).toEqual(approximate.index);
    expect(approximate.metrics).toMatchObject({ objects: 150, d: 8, search: 'approximate' });
    const [a, b] = await Promise.all(
      [index, approximate.index].map(async (of) => rows((await match(others, { k: 5 }, of)).outputs.data)),
    );
    const hits = a!.filter((row, i) => row.match === b![i]!.match).length;
    expect(hits / a!.length).toBeGreaterThan(0.99);
    const { metrics } = (await evaluate({ label: 'label' }, approximate.index)).outputs;
    expect(metrics.recallAt10).toBeGreaterThan(0.99);
  });

  it('an index says by itself that it is matched with', async () => {
    expect(index).toMatchObject({ kind: 'model', application: 'object-matching-index' });
    expect(await readOutOf(store, index)).toMatchObject({ kind: 'match', stage: 'object-matching/match' });
  });

  it('refuses more matches than there are objects, and queries with nothing to match', async () => {
    await expect(match(others, { k: 151 })).rejects.toThrow(/k: 151 matches asked of an index of 150 objects/);
    const names = (await openDataset(store, others)).columns
      .map(({ name }) => name)
      .filter((name) => /^p\d/.test(name));
    const empty = await query(
      { others },
      `SELECT * REPLACE (${names.map((name) => `CASE WHEN name = 'q3' THEN NULL ELSE ${name} END AS ${name}`).join(', ')}) FROM others`,
    );
    await expect(match(empty)).rejects.toThrow(/query 2 has no value in any of the 64 learned columns/);
    await expect(match(await query({ others }, 'SELECT * EXCLUDE (p33) FROM others'))).rejects.toThrow(/missing: p33/);
    await expect(match(others, { queryId: 'nam' })).rejects.toThrow(/did you mean "name"\?/);
  });

  it('refuses an index of another model, and a model that is no index', async () => {
    const other = await train(4);
    await expect(match(others, {}, index, model)).resolves.toBeDefined();
    await expect(match(others, {}, index, other)).rejects.toThrow(
      /the index was made by model .*nothing to do with one another/,
    );
    await expect(add(others, {}, index, other)).rejects.toMatchObject({ code: 'MODEL_INCOMPATIBLE' });
    await expect(match(others, {}, model)).rejects.toThrow(/is a model of object-matching, not an index/);
  });
});

describe('train with warp', () => {
  it('refuses numbers that are no image of one unit', async () => {
    const refused = (options: object) => expect(train(3, { warp: 0.2, epochs: 1, ...options })).rejects;
    await refused({}).toThrow(/warp: needs shape/);
    await refused({ shape: [8, 7] }).toThrow(/shape 8 × 7 has 56 pixels, learned are 64 numbers/);
    await refused({ shape: [8, 8], normalisation: 'standard' }).toThrow(/need normalisation: pooled/);
    await refused({ shape: [8, 8], bounded: false }).toThrow(/needs bounded: true/);
  });
});

describe('index', () => {
  it('names objects by their rows where no column does, and takes only the dimensions asked for', async () => {
    const { outputs } = await build({ dims: 3, payload: [] });
    expect(outputs.metrics).toMatchObject({ objects: 150, d: 3, search: 'exact' });
    const found = await rows((await match(gallery, { k: 1 }, outputs.index)).outputs.data);
    expect(found.map(({ match: object }) => object)).toEqual(found.map(({ query: asked }) => asked));
    expect(Object.keys(found[0]!)).toEqual(['query', 'rank', 'match', 'distance', 'margin']);
  });

  it('refuses an empty gallery, a name twice, a name missing and payload named like a match', async () => {
    await expect(build({}, await query({ gallery }, 'SELECT * FROM gallery LIMIT 0'))).rejects.toThrow(
      /the gallery is empty/,
    );
    const twice = await query(
      { gallery },
      `SELECT * REPLACE (CASE WHEN name = 'a9' THEN 'a4' ELSE name END AS name) FROM gallery`,
    );
    await expect(build({ id: 'name' }, twice)).rejects.toThrow(/id column "name" holds "a4" twice, in rows 3 and 8/);
    const holes = await query({ gallery }, `SELECT * REPLACE (nullif(name, 'a2') AS name) FROM gallery`);
    await expect(build({ id: 'name' }, holes)).rejects.toThrow(/id column "name" is missing in row 1/);
    const ranked = await query({ gallery }, 'SELECT *, 1 AS rank FROM gallery');
    await expect(build({ id: 'name' }, ranked)).rejects.toThrow(
      /payload column "rank" has the name of a column of matches/,
    );
    await expect(build({ dims: 9 })).rejects.toThrow(/at most 8, the size of the model's latent, found 9/);
  });
});

describe('add and remove', () => {
  it('give new versions: what was added is found, what was removed is not, the old index stays', async () => {
    const more = (await add(others)).outputs;
    expect(more.metrics.objects).toBe(190);
    const [first] = await rows((await match(others, { k: 1, queryId: 'name' }, more.index)).outputs.data);
    expect(first).toMatchObject({ query: 'q1', match: 'q1' });
    const fewer = (await remove({ ids: ['q1', 'a7'] }, more.index)).outputs;
    expect(fewer.metrics.objects).toBe(188);
    const [next] = await rows((await match(others, { k: 1, queryId: 'name' }, fewer.index)).outputs.data);
    expect(next!.match).not.toBe('q1');
    expect((await remove({}, more.index, others)).outputs.index).toEqual(index);
    expect((await rows((await match(others, { k: 1 })).outputs.data))[0]!.match).toMatch(/^a/);
  });

  it('number added objects on from the largest where rows name them', async () => {
    const byRow = (await build({ payload: [] })).outputs.index;
    const more = (await add(others, {}, byRow)).outputs.index;
    expect((await rows((await match(others, { k: 1 }, more)).outputs.data))[0]!.match).toBe(150);
  });

  it('refuse names that are there already and names that are not, unless told what to do', async () => {
    await expect(add(gallery)).rejects.toThrow(/the index has an object "a1" already/);
    expect((await add(gallery, { existing: 'replace' })).outputs.metrics.objects).toBe(150);
    await expect(remove({ ids: ['a1', 'b'] })).rejects.toThrow(/the index has no object "b" in column "name"/);
    expect((await remove({ ids: ['a1', 'b'], absent: 'ignore' })).outputs.metrics.objects).toBe(149);
    await expect(remove()).rejects.toThrow(/nothing to remove/);
    await expect(remove({}, index, gallery)).rejects.toThrow(/no object would be left of 150/);
  });
});

describe('grow', () => {
  it('stops at the first size that separates, with the curve up to it and the pairs still confused', async () => {
    const { metrics, figures } = (await grow({ level: 0.9, noise: 0.2, occlusion: 0, id: 'name' })).outputs;
    expect(metrics.reached).toBe(true);
    expect(metrics.curve.map(({ d }) => d)).toEqual(Array.from({ length: metrics.chosen - 1 }, (_, i) => i + 2));
    expect(metrics.curve.slice(0, -1).every(({ separation }) => separation < 0.9)).toBe(true);
    expect(metrics.curve.at(-1)!.separation).toBe(metrics.separation);
    expect(metrics.confused.length).toBe(Math.min(20, Math.round((1 - metrics.separation) * 150)));
    for (const { object, takenFor } of metrics.confused)
      expect([object, takenFor]).toEqual([expect.stringMatching(/^a/), expect.stringMatching(/^a/)]);
    expect(await readFigures(store, figures)).toMatchObject([{ id: 'separation' }]);
  });

  it('takes the best size where none reaches the level, and says so', async () => {
    const { outputs, said } = await grow({ level: 1, noise: 3, occlusion: 0.5, shift: 1, shape: [8, 8] });
    expect(outputs.metrics.reached).toBe(false);
    expect(Object.keys(outputs.metrics.curve[0]!.distortions)).toEqual(['noise', 'occlusion', 'shift']);
    expect(outputs.metrics.separation).toBe(Math.max(...outputs.metrics.curve.map(({ separation }) => separation)));
    expect(said.warnings.join()).toMatch(/no size up to 8 separates 1/);
  });

  it('refuses a model without order, a shape of other pixels, a shift without shape, and a start beyond the latent', async () => {
    const flat = await train(3, { ordered: false, epochs: 1 });
    await expect(grow({}, flat)).rejects.toThrow(/expected a model with ordered latents/);
    await expect(grow({ shape: [8, 9] })).rejects.toThrow(/shape 8 × 9 has 72 pixels, the model learned 64/);
    await expect(grow({ shift: 1 })).rejects.toThrow(/shift needs shape/);
    await expect(grow({ from: 9 })).rejects.toThrow(/from: 9 is beyond the 8 dimensions/);
    await expect(grow({ noise: 0, occlusion: 0 })).rejects.toThrow(/nothing is distorted/);
    await expect(grow({}, model, await query({ gallery }, 'SELECT * FROM gallery LIMIT 1'))).rejects.toThrow(
      /at least 2 objects/,
    );
  });
});

describe('evaluate', () => {
  it('scores classes and distorted objects beside PCA and raw columns', async () => {
    const { metrics } = (await evaluate({ label: 'label', k: 5 })).outputs;
    expect(metrics).toMatchObject({ d: 8, objects: 150, queries: 40, k: 5, recallAt10: null });
    expect(metrics.accuracy).toBeGreaterThan(0.6);
    expect(metrics.baselines.raw.accuracy).toBeGreaterThan(0.7);
    expect(Object.keys(metrics.distortions)).toEqual(['noise', 'occlusion']);
    const found = await rows((await match(others, { k: 1 })).outputs.data);
    const truth = (await rows(others)).map(({ label }) => label);
    const right = found.filter(({ label }, i) => label === truth[i]).length / 40;
    expect(metrics.accuracy).toBeCloseTo(right, 12);
  });

  it('refuses a learned label, one class only, and a gallery of another size', async () => {
    const leaky = await train(3, { exclude: ['name'], epochs: 1 });
    const of = (await build({ id: 'name' }, gallery, leaky)).outputs.index;
    await expect(evaluate({ label: 'label' }, of)).rejects.toThrow(/would be a leak; train with exclude: \[label\]/);
    const single = await query({ gallery }, 'SELECT * REPLACE (7 AS label) FROM gallery');
    const run = (data: ArtifactRef, given: ArtifactRef) =>
      runStage({
        manifest: stages.evaluate,
        run: runEvaluate,
        inputs: { index, gallery: given, data },
        options: { label: 'label' },
        context: context(),
      });
    await expect(run(others, single)).rejects.toThrow(/at least two classes .*found one only \(7\)/);
    await expect(run(others, others)).rejects.toThrow(/the index holds 150 objects, the gallery 40 rows/);
  });
});

describe('objects that are vectors', () => {
  const pixels = Array.from({ length: 64 }, (_, k) => `p${Math.floor(k / 8)}${k % 8}`).join(', ');
  const listed = (input: ArtifactRef, list = `list_value(${pixels})::FLOAT[]`) =>
    query({ input }, `SELECT name, ${list} AS pixels, label FROM input`);

  it('are found, told apart when distorted as images are, and refused with a hole or of another length', async () => {
    const lists = await listed(gallery);
    const { outputs } = await runStage({
      manifest: stages.train,
      run: runTrain,
      inputs: { data: lists },
      options: { ...QUICK, exclude: [...QUICK.exclude], epochs: 10 },
      context: context(),
    });
    const built = (await build({ id: 'name' }, lists, outputs.model)).outputs.index;
    const found = await rows((await match(lists, { k: 1, queryId: 'name' }, built)).outputs.data);
    expect(found.every((row) => row.match === row.query)).toBe(true);
    const { metrics } = (await grow({ shape: [8, 8], occlusion: 0.05, shift: 1 }, outputs.model, lists)).outputs;
    expect(Object.keys(metrics.curve[0]!.distortions)).toEqual(['noise', 'occlusion', 'shift']);
    expect(metrics.curve.at(-1)!.distortions.noise).toBeGreaterThan(0.9);
    const short = await listed(others, `list_value(${pixels})[:60]::FLOAT[]`);
    await expect(match(short, {}, built)).rejects.toThrow(
      /pixels \(was vector of 64 numbers, is vector of 60 numbers\)/,
    );
    const holes = await listed(others, `list_value(${pixels.replace('p33', "'nan'::FLOAT")})::FLOAT[]`);
    await expect(match(holes, {}, built)).rejects.toThrow(
      /column "pixels": element 28 of the vector in row 0 is NaN; a vector has all its elements or is missing/,
    );
    const none = await query({ lists }, `SELECT name, CASE WHEN name <> 'a2' THEN pixels END AS pixels FROM lists`);
    await expect(match(none, {}, built)).rejects.toThrow(/query 1 has no value in any of the 1 learned columns/);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, writeDataset } from '@hourglass/dataset';
import { fakeContext, type FakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { impute as manifest, train as trainManifest } from '../index.ts';
import { run } from '../impute.ts';
import { run as train } from '../train.ts';

const ROWS = 400;
let folder: string;
let store: ArtifactStore;
/** Mixed types; a is 3·b, c follows b; every seventh cell of each learned column is missing. */
let data: ArtifactRef;
let model: ArtifactRef;

const context = (): FakeContext =>
  fakeContext({ artifacts: store, seed: 3, engine: 'wasm', modules: new URL('../', import.meta.url) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-impute-'));
  store = (await openStore(folder)).artifacts;
  const values = Float64Array.from({ length: ROWS }, (_, i) => i);
  const rows = await writeDataset(store, {
    columns: [{ name: 'i', physical: 'INTEGER' }],
    parts: [{ tables: [{ rows: ROWS, columns: { i: { kind: 'numeric', values } } }] }],
  });
  data = await queryDataset(store, {
    inputs: { rows },
    sql: `SELECT
      CASE WHEN i % 7 = 0 THEN NULL ELSE CAST(3 * (i % 40) AS SMALLINT) END AS a,
      CASE WHEN i % 7 = 1 THEN NULL ELSE (i % 40) * 1.25::DOUBLE END AS b,
      CASE WHEN i % 7 = 2 THEN NULL WHEN i % 40 < 20 THEN 'low' ELSE 'high' END AS c,
      CASE WHEN i % 7 = 3 THEN NULL ELSE i % 40 >= 20 END AS d,
      CASE WHEN i % 7 = 4 THEN NULL ELSE CAST((i % 40) * 10 AS DECIMAL(9, 2)) END AS money,
      CASE WHEN i % 7 = 5 THEN NULL ELSE DATE '2024-01-01' + CAST(i % 40 AS INTEGER) END AS day,
      'row ' || i AS id, CASE WHEN i % 2 = 0 THEN [i] ELSE NULL END AS list FROM rows`,
  });
  const options = trainManifest.options.parse({
    exclude: ['id', 'list'],
    width: 32,
    latentDim: 6,
    epochs: 30,
    batchSize: 64,
  });
  ({ model } = await train(context(), { data }, options));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const impute = (options: Record<string, unknown> = {}, given = data, at = context()): Promise<{ data: ArtifactRef }> =>
  run(at, { data: given, model }, manifest.options.parse(options)) as Promise<{ data: ArtifactRef }>;
/** One number out of a query over the table before and after. */
const ask = async (after: ArtifactRef, sql: string): Promise<number> => {
  const answer = await queryDataset(store, {
    inputs: { before: data, after },
    sql: `SELECT (${sql})::DOUBLE AS answer`,
  });
  const column = (await (await openDataset(store, answer)).table(['answer'])).columns.answer;
  return column?.kind === 'numeric' ? column.values[0]! : Number.NaN;
};
const LEARNED = ['a', 'b', 'c', 'd', 'money', 'day'];

describe('imputation/impute', () => {
  it('leaves no learned cell missing and every observed cell as it was', async () => {
    const { data: after } = await impute();
    for (const name of LEARNED) {
      expect(await ask(after, `SELECT count(*) FROM after WHERE ${name} IS NULL`), name).toBe(0);
      const changed = `SELECT count(*) FROM before POSITIONAL JOIN after
        WHERE before.${name} IS NOT NULL AND before.${name} IS DISTINCT FROM after.${name}`;
      expect(await ask(after, changed), name).toBe(0);
    }
  });

  it('keeps columns, physical types, order, and what the model does not know', async () => {
    const { data: after } = await impute();
    expect((await openDataset(store, after)).columns).toEqual((await openDataset(store, data)).columns);
    const changed = `SELECT count(*) FROM before POSITIONAL JOIN after
      WHERE before.id <> after.id OR before.list IS DISTINCT FROM after.list`;
    expect(await ask(after, changed)).toBe(0);
  });

  it('fills close to what the other columns say, inside the observed range', async () => {
    const { data: after } = await impute();
    const error = (name: string, truth: string): Promise<number> =>
      ask(
        after,
        `SELECT avg(abs(t.${name}::DOUBLE - ${truth})) FROM
        (SELECT after.*, row_number() OVER () - 1 AS i, before.${name} IS NULL AS gap FROM before POSITIONAL JOIN after) t WHERE gap`,
      );
    expect(await error('a', '3 * (i % 40)')).toBeLessThan(8); // of 0 … 117
    expect(await error('b', '1.25 * (i % 40)')).toBeLessThan(4); // of 0 … 48.75
    expect(await error('money', '10 * (i % 40)')).toBeLessThan(30); // of 0 … 390
    for (const name of ['a', 'b', 'money', 'day'])
      expect(
        await ask(
          after,
          `SELECT (min(after.${name}) < (SELECT min(${name}) FROM before) OR max(after.${name}) > (SELECT max(${name}) FROM before))::INT FROM after`,
        ),
      ).toBe(0);
    const right = `SELECT avg((c = CASE WHEN i % 40 < 20 THEN 'low' ELSE 'high' END)::INT) FROM
      (SELECT after.c, row_number() OVER () - 1 AS i, before.c IS NULL AS gap FROM before POSITIONAL JOIN after) WHERE gap`;
    expect(await ask(after, right)).toBeGreaterThan(0.85);
  });

  it('flags filled cells on request', async () => {
    const { data: after } = await impute({ flags: true });
    const { columns } = await openDataset(store, after);
    expect(columns.map(({ name }) => name).slice(8)).toEqual(LEARNED.map((name) => `${name}_imputed`));
    for (const name of LEARNED)
      expect(
        await ask(
          after,
          `SELECT count(*) FROM before POSITIONAL JOIN after WHERE after.${name}_imputed <> (before.${name} IS NULL)`,
        ),
      ).toBe(0);
  });

  it('refuses flags where the table has such a column', async () => {
    const twin = await queryDataset(store, { inputs: { data }, sql: 'SELECT *, 1 AS A_imputed FROM data' });
    await expect(impute({ flags: true }, twin)).rejects.toThrow(
      /adds a column "a_imputed", which the table has already/,
    );
  });

  it('keeps fractions of whole numbers on request only', async () => {
    const { data: after } = await impute({ exact: true });
    expect((await openDataset(store, after)).columns[0]).toMatchObject({ name: 'a', physical: 'DOUBLE' });
    expect(await ask(after, 'SELECT count(*) FROM after WHERE a <> round(a)')).toBeGreaterThan(0);
    expect(await ask(after, 'SELECT count(*) FROM before POSITIONAL JOIN after WHERE before.a <> after.a')).toBe(0);
  });

  it('fills times of day as times, with exact too', async () => {
    const timed = await queryDataset(store, {
      inputs: { data },
      sql: `SELECT a, CASE WHEN b > 40 THEN NULL ELSE TIME '08:00:00' + to_minutes(CAST(a AS BIGINT)) END AS clock FROM data`,
    });
    const trained = await train(context(), { data: timed }, trainManifest.options.parse({ width: 8, epochs: 1 }));
    const { data: after } = (await run(
      context(),
      { data: timed, model: trained.model },
      manifest.options.parse({ exact: true }),
    )) as { data: ArtifactRef };
    expect((await openDataset(store, after)).columns).toMatchObject([
      { name: 'a', physical: 'DOUBLE' },
      { name: 'clock', physical: 'TIME' },
    ]);
    expect(await ask(after, 'SELECT count(*) FROM after WHERE clock IS NULL')).toBe(0);
  });

  it('refinement changes filled cells only and is reproducible', async () => {
    const holes = await queryDataset(store, {
      inputs: { data },
      sql: 'SELECT * REPLACE (CASE WHEN a % 2 = 0 THEN NULL ELSE b END AS b, CASE WHEN a % 2 = 0 THEN NULL ELSE money END AS money) FROM data',
    });
    const [a, b, c] = [await impute({ refine: 2 }, holes), await impute({ refine: 2 }, holes), await impute({}, holes)];
    expect(b).toEqual(a);
    expect(a.data.digest).not.toBe(c.data.digest);
    expect(await ask(a.data, 'SELECT count(*) FROM before POSITIONAL JOIN after WHERE before.a <> after.a')).toBe(0);
  });

  describe('with draws', () => {
    it('gives so many completed tables one after the other, observed cells as they were', async () => {
      const { data: after } = await impute({ draws: 3, flags: true });
      const reader = await openDataset(store, after);
      expect(reader.rows).toBe(3 * ROWS);
      expect(reader.parts.map(({ key, rows }) => [key, rows])).toEqual([1, 2, 3].map((k) => [`draw=${k}`, ROWS]));
      expect(reader.columns[0]).toMatchObject({ name: 'draw', physical: 'INTEGER' });
      for (const name of LEARNED) {
        expect(await ask(after, `SELECT count(*) FROM after WHERE ${name} IS NULL`), name).toBe(0);
        const changed = `SELECT count(*) FROM (SELECT *, row_number() OVER () AS r FROM before) b
          JOIN (SELECT *, row_number() OVER (PARTITION BY draw) AS r FROM after) a USING (r)
          WHERE b.${name} IS NOT NULL AND b.${name} IS DISTINCT FROM a.${name}`;
        expect(await ask(after, changed), name).toBe(0);
      }
    });

    it('spreads filled cells as far as the answers are uncertain, and gives values that occur', async () => {
      // Without the other columns there is nothing to tell a from: draws must scatter like the column itself.
      const blind = await queryDataset(store, {
        inputs: { data },
        sql: 'SELECT * REPLACE (NULL::SMALLINT AS a, NULL::DOUBLE AS b, NULL::VARCHAR AS c, NULL::BOOLEAN AS d, NULL::DECIMAL(9, 2) AS money, NULL::DATE AS day) FROM data',
      });
      const { data: after } = await impute({ draws: 2 }, blind);
      const { data: likeliest } = await impute({}, blind);
      const spread = async (ref: ArtifactRef): Promise<number> => ask(ref, 'SELECT stddev_pop(b) FROM after');
      const truth = await ask(data, 'SELECT stddev_pop(b) FROM before');
      expect(await spread(likeliest)).toBeLessThan(0.2 * truth);
      expect(await spread(after)).toBeGreaterThan(0.6 * truth);
      expect(await ask(after, 'SELECT count(*) FROM after WHERE abs(b / 1.25 - round(b / 1.25)) > 1e-4')).toBe(0);
      // Cells of one row are drawn given one another: a is 3·b / 1.25 in the table.
      expect(await ask(after, 'SELECT corr(a, b) FROM after')).toBeGreaterThan(0.8);
      // And where the others tell all, draws agree.
      const { data: sure } = await impute({ draws: 2 });
      const apart = `SELECT avg(abs(x.b - y.b)) FROM (SELECT *, row_number() OVER () AS r FROM after WHERE draw = 1) x
        JOIN (SELECT *, row_number() OVER () AS r FROM after WHERE draw = 2) y USING (r) JOIN (SELECT b, row_number() OVER () AS r FROM before) z USING (r) WHERE z.b IS NULL`;
      expect(await ask(sure, apart)).toBeLessThan(0.6 * truth);
    });

    it('gives the same tables for the same seed, others for another, and draws that differ', async () => {
      const at = (seed: number): FakeContext => fakeContext({ artifacts: store, seed, engine: 'wasm' });
      const [a, b, c] = [
        await impute({ draws: 2 }, data, at(3)),
        await impute({ draws: 2 }, data, at(3)),
        await impute({ draws: 2 }, data, at(4)),
      ];
      expect(b).toEqual(a);
      expect(c.data.digest).not.toBe(a.data.digest);
      const { parts } = await store.get(a.data, 'dataset');
      expect(parts[0]!.digest).not.toBe(parts[1]!.digest);
    });

    it('says what a model or table lacks for it', async () => {
      const options = trainManifest.options.parse({ columns: ['a', 'b'], epochs: 1, validationFraction: 0 });
      const sure = (await train(context(), { data }, options)).model;
      await expect(run(context(), { data, model: sure }, manifest.options.parse({ draws: 2 }))).rejects.toThrow(
        /draws needs a model that knows the spread.*validationFraction above 0/,
      );
      const twin = await queryDataset(store, { inputs: { data }, sql: 'SELECT *, 1 AS Draw FROM data' });
      await expect(impute({ draws: 2 }, twin)).rejects.toThrow(/adds a column "draw", which the table has already/);
    });
  });

  it('says which categories it has not seen', async () => {
    const other = await queryDataset(store, {
      inputs: { data },
      sql: `SELECT * REPLACE (CASE WHEN id = 'row 1' THEN 'new' ELSE c END AS c) FROM data`,
    });
    const at = context();
    const { data: after } = await impute({}, other, at);
    expect(at.said.warnings).toContain(
      'column c: 1 cells hold categories that the model has not seen; they count as unknown',
    );
    expect(await ask(after, `SELECT count(*) FROM after WHERE c = 'new'`)).toBe(1);
  });

  it('refuses numbers that a double no longer holds, by name', async () => {
    const other = await queryDataset(store, {
      inputs: { data },
      sql: `SELECT * REPLACE (CASE WHEN id = 'row 9' THEN 12345678901234567890.12345678 ELSE 1 END::DECIMAL(38, 8) AS money,
        1180591620717411303425::HUGEINT AS a) FROM data`,
    });
    await expect(impute({}, other)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(
        /a \(was integer, is DECIMAL\(38,0\) with values beyond double precision\), money \(was float, is DECIMAL\(38,8\) with values/,
      ),
    });
  });

  it('takes unicode column names from training to the filled table', async () => {
    const renamed = await queryDataset(store, {
      inputs: { data },
      sql: 'SELECT a AS "größe °C", b AS "名前""x" FROM data',
    });
    const options = trainManifest.options.parse({ width: 8, latentDim: 2, epochs: 1 });
    const trained = await train(context(), { data: renamed }, options);
    const { data: after } = await run(
      context(),
      { data: renamed, model: trained.model },
      manifest.options.parse({ flags: true }),
    );
    expect((await openDataset(store, after)).columns.map(({ name }) => name)).toEqual([
      'größe °C',
      '名前"x',
      'größe °C_imputed',
      '名前"x_imputed',
    ]);
    expect(await ask(after, 'SELECT count(*) FROM after WHERE "größe °C" IS NULL OR "名前""x" IS NULL')).toBe(0);
  });

  it('names columns that are missing or of another type', async () => {
    const other = await queryDataset(store, {
      inputs: { data },
      sql: `SELECT * EXCLUDE (a) REPLACE (b::VARCHAR AS b) FROM data`,
    });
    await expect(impute({}, other)).rejects.toThrow(/missing: a; changed type: b \(was float, is VARCHAR\)/);
  });
});

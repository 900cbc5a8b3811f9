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

  it('names columns that are missing or of another type', async () => {
    const other = await queryDataset(store, {
      inputs: { data },
      sql: `SELECT * EXCLUDE (a) REPLACE (b::VARCHAR AS b) FROM data`,
    });
    await expect(impute({}, other)).rejects.toThrow(/missing: a; changed type: b \(was float, is VARCHAR\)/);
  });
});

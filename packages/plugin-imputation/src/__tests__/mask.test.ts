import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { ident, openDataset, queryDataset, writeDataset } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mask as manifest } from '../index.ts';
import { run } from '../mask.ts';

const ROWS = 3000;
let folder: string;
let store: ArtifactStore;
let data: ArtifactRef;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-mask-'));
  store = (await openStore(folder)).artifacts;
  const rows = await writeDataset(store, {
    columns: [{ name: 'i', physical: 'INTEGER' }],
    parts: [
      {
        tables: [
          { rows: ROWS, columns: { i: { kind: 'numeric', values: Float64Array.from({ length: ROWS }, (_, i) => i) } } },
        ],
      },
    ],
  });
  data = await queryDataset(store, {
    inputs: { rows },
    sql: `SELECT i, i * 0.1 AS x, CAST(i AS DECIMAL(30, 3)) / 7 AS money, CAST(i AS UTINYINT) AS small,
      'name ' || (i % 5) AS "a ""b""", DATE '2020-01-01' + CAST(i AS INTEGER) AS day, i % 2 = 0 AS even, [i, i + 1] AS list,
      CASE WHEN i % 10 = 0 THEN NULL ELSE i END AS holes, CASE WHEN i % 10 = 0 THEN 'NaN'::DOUBLE ELSE i END AS nans
      FROM (SELECT CAST(i % 200 AS INTEGER) AS i FROM rows)`,
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const hide = async (options: Record<string, unknown>, seed = 7): ReturnType<typeof run> =>
  run(fakeContext({ artifacts: store, seed }), { data }, manifest.options.parse(options));
/** One number out of a query. */
const ask = async (inputs: Record<string, ArtifactRef>, sql: string): Promise<number> => {
  const reader = await openDataset(
    store,
    await queryDataset(store, { inputs, sql: `SELECT (${sql})::DOUBLE AS answer` }),
  );
  const { answer } = (await reader.table(['answer'])).columns;
  return answer?.kind === 'numeric' ? answer.values[0]! : Number.NaN;
};

describe('imputation/mask', () => {
  it('hides the share asked for in every column and says where', async () => {
    const { masked, mask } = await hide({ rate: 0.25, exclude: ['list'] });
    const { columns } = await openDataset(store, data);
    for (const { name } of columns.filter((column) => column.name !== 'list')) {
      const share = await ask({ mask }, `SELECT avg(${ident(name)}::INT) FROM mask`);
      const observed = ['holes', 'nans'].includes(name) ? 0.9 : 1;
      expect(Math.abs(share - 0.25 * observed), name).toBeLessThan(0.03);
      const wrong = await ask(
        { data, masked, mask },
        `SELECT count(*) FROM data POSITIONAL JOIN masked POSITIONAL JOIN mask
         WHERE CASE WHEN mask.${ident(name)} THEN masked.${ident(name)} IS NOT NULL
                    ELSE masked.${ident(name)} IS DISTINCT FROM data.${ident(name)} END`,
      );
      expect(wrong, name).toBe(0);
    }
  });

  it('keeps every column, its physical type and the order', async () => {
    const { masked } = await hide({ rate: 0.5, columns: ['x'] });
    const [before, after] = [await openDataset(store, data), await openDataset(store, masked)];
    expect(after.columns).toEqual(before.columns);
    expect(after.rows).toBe(ROWS);
    expect(
      await ask(
        { data, masked },
        'SELECT count(*) FROM data POSITIONAL JOIN masked WHERE data.list <> masked.list OR data.money <> masked.money OR data.i <> masked.i',
      ),
    ).toBe(0);
  });

  it('never calls a cell hidden that was missing before', async () => {
    const { mask } = await hide({ rate: 0.9 });
    expect(
      await ask(
        { data, mask },
        'SELECT count(*) FROM data POSITIONAL JOIN mask WHERE (mask.holes AND data.holes IS NULL) OR (mask.nans AND isnan(data.nans))',
      ),
    ).toBe(0);
  });

  it('leaves columns it was not asked to hide whole', async () => {
    const { mask } = await hide({ rate: 0.5, columns: ['x', 'i'], exclude: ['i'] });
    expect(await ask({ mask }, 'SELECT count(*) FILTER (WHERE i OR small OR even) FROM mask')).toBe(0);
    expect(await ask({ mask }, 'SELECT count(*) FILTER (WHERE x) FROM mask')).toBeGreaterThan(1000);
  });

  it('gives the same artifacts for the same seed and others for another', async () => {
    const [a, b, c] = [await hide({ rate: 0.2 }), await hide({ rate: 0.2 }), await hide({ rate: 0.2 }, 8)];
    expect(b).toEqual(a);
    expect(c.mask.digest).not.toBe(a.mask.digest);
  });

  it('mar and mnar read values of mixed types', async () => {
    for (const mechanism of ['mar', 'mnar']) {
      const { mask } = await hide({ rate: 0.3, mechanism, columns: ['x', 'small', 'even', 'a "b"', 'day', 'holes'] });
      const share = await ask(
        { mask },
        'SELECT sum(x::INT + small::INT + even::INT + "a ""b"""::INT + day::INT + holes::INT) / count(*) FROM mask',
      );
      expect(share).toBeGreaterThan(0.6);
      expect(share).toBeLessThan(2);
    }
  });

  it('hides the same cells of a partitioned table, part by part', async () => {
    const parts = await queryDataset(store, { inputs: { data }, sql: 'SELECT * FROM data', perPart: true });
    const reader = await openDataset(store, parts);
    const table = await reader.table(['i', 'x']);
    const twoParts = await writeDataset(store, {
      columns: [
        { name: 'i', physical: 'INTEGER' },
        { name: 'x', physical: 'DOUBLE' },
      ],
      parts: [0, 1].map((half) => ({
        key: `half=${half}`,
        tables: [
          {
            rows: ROWS / 2,
            columns: Object.fromEntries(
              ['i', 'x'].map((name) => [
                name,
                {
                  kind: 'numeric' as const,
                  values: (table.columns[name] as { values: Float64Array }).values.slice(
                    (half * ROWS) / 2,
                    ((half + 1) * ROWS) / 2,
                  ),
                },
              ]),
            ),
          },
        ],
      })),
    });
    const options = manifest.options.parse({ rate: 0.2 });
    const split = await run(fakeContext({ artifacts: store, seed: 7 }), { data: twoParts }, options);
    const one = await queryDataset(store, { inputs: { twoParts }, sql: 'SELECT * FROM twoParts' });
    const whole = await run(fakeContext({ artifacts: store, seed: 7 }), { data: one }, options);
    expect((await openDataset(store, split.masked)).parts.map(({ key }) => key)).toEqual(['half=0', 'half=1']);
    expect(
      await ask(
        { a: split.mask, b: whole.mask },
        'SELECT count(*) FROM (FROM a) a POSITIONAL JOIN b WHERE a.i <> b.i OR a.x <> b.x',
      ),
    ).toBe(0);
  });

  it('says what is wrong with a rate of 0 or 1', () => {
    expect(manifest.options.safeParse({ rate: 0 }).error?.issues[0]).toMatchObject({
      path: ['rate'],
      message: 'must be above 0: at 0 nothing is hidden',
    });
    expect(manifest.options.safeParse({ rate: 1 }).error?.issues[0]).toMatchObject({
      path: ['rate'],
      message: 'must be below 1: at 1 nothing is left to learn from',
    });
  });

  it('names an unknown column, with the nearest one', async () => {
    await expect(hide({ rate: 0.2, columns: ['smal'] })).rejects.toThrow(
      /imputation\/mask: option columns names "smal".*did you mean "small"\?/,
    );
  });

  it('refuses an empty table and an empty choice of columns', async () => {
    const empty = await queryDataset(store, { inputs: { data }, sql: 'SELECT * FROM data WHERE false' });
    await expect(run(fakeContext({ artifacts: store }), { data: empty }, manifest.options.parse({}))).rejects.toThrow(
      /no rows/,
    );
    await expect(hide({ columns: ['x'], exclude: ['x'] })).rejects.toThrow(/leave none of the 10 columns/);
  });
});

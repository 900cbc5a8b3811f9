import { expect, test } from 'vitest';
import { profileDataset, queryDataset } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store } = await tempStore();

test('a profile says what each column holds, missing and infinite cells apart', async () => {
  const ref = await queryDataset(store, {
    inputs: {},
    sql: `SELECT CASE WHEN i = 0 THEN 'nan'::DOUBLE WHEN i = 1 THEN 'inf'::DOUBLE WHEN i = 2 THEN NULL ELSE (i - 2)::DOUBLE END AS x,
      i % 2 = 0 AS flag, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END AS word, DATE '2024-01-01' + i::INTEGER AS day,
      9007199254740993 + i AS id, NULL::INTEGER AS nothing, [i] AS v, 1e300 * i AS huge FROM range(103) r(i)`,
  });
  const { rows, columns } = await profileDataset(store, ref);
  expect(rows).toBe(103);
  expect(columns.x).toEqual({
    type: 'float', physical: 'DOUBLE', missing: 2, infinite: 1, distinct: 101, min: 1, max: 100, mean: 50.5, std: Math.sqrt((100 ** 2 - 1) / 12),
    quantiles: { p01: 1.99, p05: 5.95, p25: 25.75, p50: 50.5, p75: 75.25, p95: 95.05, p99: 99.01 },
  }); // prettier-ignore
  expect(columns.flag).toMatchObject({
    type: 'boolean',
    missing: 0,
    distinct: 2,
    top: [
      { value: 'true', count: 52 },
      { value: 'false', count: 51 },
    ],
  });
  expect(columns.word).toMatchObject({
    top: [
      { value: 'b', count: 68 },
      { value: 'a', count: 35 },
    ],
  });
  expect(columns.day).toMatchObject({
    type: 'date',
    min: '2024-01-01',
    max: '2024-04-12',
    quantiles: { p50: Date.UTC(2024, 1, 21) },
  });
  expect(columns.id).toMatchObject({ type: 'bigint', min: '9007199254740993', max: '9007199254741095', distinct: 103 });
  expect(columns.nothing).toEqual({ type: 'integer', physical: 'INTEGER', missing: 103, distinct: 0 });
  expect(columns.v).toEqual({ type: 'vector', physical: 'BIGINT[]', missing: 0 });
  expect(columns.huge!.std! / 1e300).toBeCloseTo(Math.sqrt((103 ** 2 - 1) / 12), 10);
  JSON.parse(
    JSON.stringify(columns, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? expect.fail('not JSON') : value,
    ),
  );
});

test('large tables are estimated, and it says so; twice the same', async () => {
  const ref = await queryDataset(store, { inputs: {}, sql: 'SELECT i AS x, i * 2 AS _row FROM range(4100000) r(i)' });
  const { columns } = await profileDataset(store, ref);
  expect(columns.x).toMatchObject({ distinctEstimated: true, quantilesSampled: true, mean: 2049999.5 });
  expect(Math.abs(columns.x!.quantiles!.p50 - 2_050_000)).toBeLessThan(10);
  expect(Math.abs(columns._row!.quantiles!.p50 - 4_100_000)).toBeLessThan(10);
  expect(Math.abs(columns.x!.distinct! / 4_100_000 - 1)).toBeLessThan(0.1);
  expect((await profileDataset(store, ref)).columns).toEqual(columns);
});

test('numbers up to four million rows are exact, also a few very large, very small and repeated ones', async () => {
  const ref = await queryDataset(store, {
    inputs: {},
    sql: `SELECT (i % 1000003)::DOUBLE AS x, CASE WHEN i % 2 = 0 THEN 5e-324 ELSE 0 END AS tiny, 7 AS same FROM range(1200000) r(i)`,
  });
  const { columns } = await profileDataset(store, ref);
  expect(columns.x!.distinct).toBe(1_000_003);
  expect(columns.x!.distinctEstimated).toBeUndefined();
  expect(columns.tiny).toMatchObject({ distinct: 2, min: 0, max: 5e-324, mean: 0, quantiles: { p99: 5e-324 } });
  expect(columns.same).toMatchObject({ distinct: 1, mean: 7, std: 0, quantiles: { p01: 7, p50: 7, p99: 7 } });
});

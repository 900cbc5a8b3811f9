import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { ingest, queryDataset } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { profile as manifest } from '../index.ts';
import { run } from '../profile.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-profile-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const credit = await ingest(artifacts, {
  uri: new URL('../../../../workflows/data/credit.parquet', import.meta.url).pathname,
});
const altered = (sql: string): Promise<ArtifactRef> => queryDataset(artifacts, { inputs: { t: credit }, sql });
const compare = async (data: ArtifactRef, options: Record<string, unknown> = {}, reference?: ArtifactRef) => {
  const inputs = { data, reference };
  const { metrics } = await run(fakeContext({ artifacts }), inputs, manifest.options.parse(options));
  expect(manifest.outputs.metrics.schema!.parse(metrics)).toEqual(metrics);
  return metrics;
};

test('two halves of one real table are alike in every column', async () => {
  const [even, odd] = [0, 1].map((k) =>
    altered(`SELECT * EXCLUDE n FROM (SELECT *, row_number() OVER () AS n FROM t) WHERE n % 2 = ${k}`),
  );
  const metrics = await compare(await even!, {}, await odd!);
  expect(metrics).toMatchObject({ drifted: false, reason: 'every column is within its limits', sampled: false });
  expect(metrics.compared).toBe(Object.keys(metrics.columns).length);
  expect(metrics.maxPsi).toBeLessThan(0.1);
});

test('a column that moved, one with gaps and a range that grew are named, the worst first', async () => {
  const now = await altered(
    `SELECT * REPLACE (Age + 30 AS Age, CASE WHEN Expenses > 40 THEN Expenses END AS Expenses,
       CASE WHEN Seniority > 10 THEN 900 ELSE Seniority END AS Seniority) FROM t`,
  );
  const metrics = await compare(now, {}, credit);
  expect(metrics.drifted).toBe(true);
  expect(metrics.reason).toMatch(/Age: PSI [\d.]+/);
  expect(metrics.beyond).toBe(3);
  expect(metrics.columns.Expenses!.missing).toBeGreaterThan(0.2);
  expect(metrics.columns.Seniority).toMatchObject({ max: 900, referenceMax: 48 });
  expect(metrics.columns.Seniority!.unseen).toBeGreaterThan(0.1);
  expect(metrics.columns.Price!.psi).toBeLessThan(0.01);
  expect(Object.keys(metrics.columns)[0]).toBe('Age');
  expect(await compare(now, { exclude: ['Age', 'Expenses', 'Seniority'] }, credit)).toMatchObject({ drifted: false });
});

test('columns that are gone, new or of another type are told; whole numbers that became fractions are still compared', async () => {
  const now = await altered(
    'SELECT * EXCLUDE (Price) REPLACE (Age::DOUBLE AS Age, Amount::VARCHAR AS Amount), 1 AS extra FROM t',
  );
  const metrics = await compare(now, {}, credit);
  expect(metrics).toMatchObject({ drifted: true, missingColumns: ['Price'], newColumns: ['extra'] });
  expect(metrics.typeChanges.map(({ column }) => column)).toEqual(['Age', 'Amount']);
  expect(metrics.reason).toMatch(/^gone: Price; new: extra; Age: [A-Z]+ became DOUBLE, Amount: [A-Z]+ became VARCHAR$/);
  expect(metrics.columns.Age!.psi).toBeLessThan(1e-3);
  const grown = await altered('SELECT *, 1 AS extra FROM t');
  expect(await compare(grown, {}, credit)).toMatchObject({ drifted: true, reason: 'new: extra' });
  expect(await compare(grown, { ignoreNewColumns: true }, credit)).toMatchObject({ drifted: false });
});

test('points in time move on by nature: their range is told, not held against them', async () => {
  const days = (from: number) =>
    queryDataset(artifacts, {
      inputs: {},
      sql: `SELECT DATE '2024-01-01' + (${from} + i)::INTEGER AS day, i % 7 AS x FROM range(100) r(i)`,
    });
  const metrics = await compare(await days(100), {}, await days(0));
  expect(metrics.drifted).toBe(false);
  expect(metrics.columns.day).toMatchObject({ referenceMin: '2024-01-01', min: '2024-04-10', psi: 0 });
});

test('without a reference everything counts as drifted, so that a first run goes on', async () => {
  expect(await compare(credit)).toMatchObject({
    drifted: true,
    reason: 'there is nothing to compare with yet',
    referenceRows: 0,
  });
});

test('of large tables distributions are compared on evenly taken rows, missing cells and ranges on all', async () => {
  const now = await altered(
    'SELECT * REPLACE (CASE WHEN n = 4000 THEN 100000 ELSE Price END AS Price) FROM (SELECT *, row_number() OVER () AS n FROM t)',
  );
  const metrics = await compare(now, { maxRows: 500, ignoreNewColumns: true }, credit);
  expect(metrics).toMatchObject({ sampled: true, drifted: false });
  expect(metrics.columns.Price).toMatchObject({ max: 100000 });
});

test('a column that neither table has is named with those that are near', async () => {
  await expect(compare(credit, { columns: ['Agee'] }, credit)).rejects.toThrow(
    'data/profile: no column "Agee" (did you mean "Age"?)',
  );
  await expect(compare(credit, { columns: ['Agee'] })).rejects.toMatchObject({ code: 'COLUMN_NOT_FOUND' });
});

import { failureOf } from '@hourglass/core/testing';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { unwindow as unwindowManifest, window as windowManifest } from '../index.ts';
import { run as runUnwindow } from '../unwindow.ts';
import { run as runWindow } from '../window.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-window-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const made = (sql: string, inputs: Record<string, ArtifactRef> = {}) => queryDataset(artifacts, { inputs, sql });
const cut = (data: ArtifactRef, options: Record<string, unknown>) =>
  runWindow(fakeContext({ artifacts }), { data }, windowManifest.options.parse({ time: 't', ...options }));
const bring = (data: ArtifactRef, windows: ArtifactRef, options: Record<string, unknown>) =>
  runUnwindow(fakeContext({ artifacts }), { data, windows }, unwindowManifest.options.parse({ time: 't', ...options }));
const rowsOf = async (ref: ArtifactRef) =>
  [...(await (await openDataset(artifacts, ref)).arrow())].map((row) =>
    Object.values(row!.toJSON()).map(String).join(' '),
  );
// Rows out of order, as files deliver them.
const one = await made('SELECT i AS t, i * 10 AS x, 0.5 AS y FROM range(7) r(i) ORDER BY hash(i)');
const many = await made(
  `SELECT 'm' || (i % 2) AS machine, TIMESTAMP '2024-01-01' + to_minutes(i::BIGINT // 2 + CASE WHEN i >= 12 THEN 600 ELSE 0 END) AS t, i AS x FROM range(20) r(i)`,
);

test('a series becomes windows in the order of time', async () => {
  const { data, metrics } = await cut(one, { length: 3, stride: 2 });
  const { columns } = await openDataset(artifacts, data);
  expect(columns.map(({ name }) => name).join(' ')).toBe(
    'window_start window_end window_first window_last x_0 x_1 x_2 y_0 y_1 y_2',
  );
  expect(await rowsOf((await cut(one, { length: 3, stride: 2, columns: ['x'] })).data)).toEqual([
    '0 2 1 3 0 10 20',
    '2 4 3 5 20 30 40',
    '4 6 5 7 40 50 60',
  ]);
  expect(metrics).toEqual({ windows: 3, series: 1, runs: 1, uncovered: 0 });
  expect((await cut(one, { length: 3 })).metrics).toEqual({ windows: 2, series: 1, runs: 1, uncovered: 1 });
});

test('no window spans two series or a gap', async () => {
  const { data, metrics } = await cut(many, { by: ['machine'], length: 3, maxGap: '5m' });
  expect(metrics).toEqual({ windows: 6, series: 2, runs: 4, uncovered: 2 });
  const reader = await openDataset(artifacts, data);
  expect(reader.columns[1]).toMatchObject({ name: 'window_start', type: 'timestamp' });
  expect((await rowsOf(data)).map((row) => row.split(' ').slice(-3).join(' '))).toEqual([
    '0 2 4', '6 8 10', '12 14 16', '1 3 5', '7 9 11', '13 15 17',
  ]); // prettier-ignore
  expect((await cut(many, { by: ['machine'], length: 3 })).metrics).toMatchObject({ windows: 6, runs: 2 });
});

test('scores of windows return to the rows, in their order, as the mean over the windows that cover a row', async () => {
  const { data: windows } = await cut(one, { length: 3, stride: 2, columns: ['x'] });
  const scored = await made('SELECT *, window_first AS score FROM w', { w: windows });
  const { data } = await bring(one, scored, { columns: ['score'] });
  const score = { 0: 1, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 5 } as Record<string, number>;
  const before = await rowsOf(one);
  expect(await rowsOf(data)).toEqual(before.map((row) => `${row} ${score[row.split(' ')[0]!]}`));
  expect((await rowsOf((await bring(one, scored, { columns: ['score'], how: 'max' })).data)).sort()[2]).toMatch(/ 3$/);
  const short = await cut(one, { length: 5 });
  const some = await bring(one, await made('SELECT *, 1 AS score FROM w', { w: short.data }), { columns: ['score'] });
  expect((await rowsOf(some.data)).filter((row) => row.endsWith('null'))).toHaveLength(2);
});

test('a store that cannot take the rows in keeps nothing of them', async () => {
  const { data: windows } = await cut(one, { length: 3, columns: ['x'] });
  const putFile = () => Promise.reject(new Error('the store is full'));
  const options = unwindowManifest.options.parse({ time: 't', columns: ['x_0'] });
  const context = fakeContext({ artifacts: { ...artifacts, putFile } });
  expect(await failureOf(runUnwindow(context, { data: one, windows }, options))).toContain('the store is full');
  expect(await readdir(join(folder, 'store/tmp'))).toEqual([]);
});

test('by key as well, and windows of other rows are refused', async () => {
  const { data: windows } = await cut(many, { by: ['machine'], length: 3, maxGap: '5m' });
  const scored = await made(`SELECT *, x_0 AS score FROM w`, { w: windows });
  const { data } = await bring(many, scored, { by: ['machine'], columns: ['score'] });
  expect((await rowsOf(data)).map((row) => row.split(' ').at(-1)).join(' ')).toBe(
    '0 1 0 1 0 1 6 7 6 7 6 7 12 13 12 13 12 13 null null',
  );
  const fewer = await made('SELECT * FROM m WHERE x > 3', { m: many });
  expect(await failureOf(bring(fewer, scored, { by: ['machine'], columns: ['score'] }))).toMatch(
    /^SCHEMA_MISMATCH Windows: 6 of 6 windows were not cut from these rows by "t" and "machine"\. Connect the rows that data\/window read/,
  );
  expect(await failureOf(bring(many, scored, { by: ['machine'], columns: ['machine'] }))).toContain('COLUMN_INVALID');
});

test('what cannot be cut is refused by name', async () => {
  expect(await failureOf(cut(one, { length: 9 }))).toBe(
    'DATA_INSUFFICIENT Windows: the longest of 1 runs has 7 rows, a window 9. Choose a shorter length.',
  );
  expect(await failureOf(cut(many, { length: 2 }))).toMatch(
    /^COLUMN_INVALID Windows: expected each "t" once in the series, found 2024-01-01 00:00:00 \(2 rows\).*Name the columns that tell series apart/,
  );
  expect(await failureOf(cut(one, { length: 2, time: 'time' }))).toMatch(/^COLUMN_NOT_FOUND .*no column "time"/);
  expect(await failureOf(cut(many, { length: 2, time: 'machine' }))).toContain('column "machine" is VARCHAR');
  expect(await failureOf(cut(many, { length: 2, by: ['machine'], columns: ['machine'] }))).toContain(
    'found "machine" (VARCHAR)',
  );
  expect(await failureOf(cut(many, { by: ['machine'], length: 2, maxGap: 5 }))).toContain(
    'expected a duration such as 30m',
  );
  expect(await failureOf(cut(one, { length: 2, maxGap: '1h' }))).toContain('expected a number for the column "t"');
  const gaps = await made('SELECT NULLIF(t, 3) AS t, x FROM o', { o: one });
  expect(await failureOf(cut(gaps, { length: 2 }))).toContain('1 rows have no "t"');
});

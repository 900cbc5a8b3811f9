import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { queryDataset } from '@hourglass/dataset';
import { fakeContext } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { join as joinManifest, sql as sqlManifest } from '../index.ts';
import { run as runJoin } from '../join.ts';
import { run as runSql } from '../sql.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-join-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const made = (sql: string) => queryDataset(artifacts, { inputs: {}, sql });
const orders = await made('SELECT i AS id, i % 3 AS customer FROM range(6) r(i)');
const customers = await made(`SELECT i AS customer, 'c' || i AS name FROM range(2) r(i)`);
const sql = (inputs: Record<string, typeof orders>, options: Record<string, unknown>) =>
  runSql(fakeContext({ artifacts }), inputs as never, sqlManifest.options.parse(options));

test('a join says how many rows matched, for gates', async () => {
  const options = joinManifest.options.parse({ on: ['customer'], how: 'left' });
  const { metrics } = await runJoin(fakeContext({ artifacts }), { left: orders, right: customers }, options);
  expect(joinManifest.outputs.metrics.schema!.parse(metrics)).toEqual(metrics);
  expect(metrics).toEqual({ rows: 6, leftRows: 6, rightRows: 2, matched: 4, matchedShare: 4 / 6, unusedRight: 0 });
});

test('inputs are tables by their letter, or by the name given to it', async () => {
  const query = 'SELECT name, count(*) AS n FROM orders JOIN customers USING (customer) GROUP BY name ORDER BY name';
  const { metrics } = await sql({ a: orders, b: customers }, { sql: query, names: { a: 'orders', b: 'customers' } });
  expect(metrics).toEqual({ rows: 2, columns: 2 });
  expect((await sql({ a: orders }, { sql: 'SELECT * FROM a WHERE id > 3' })).metrics).toEqual({ rows: 2, columns: 2 });
  await expect(sql({ a: orders }, { sql: query, names: { b: 'customers' } })).rejects.toThrow(
    'data/sql: option names: there is no input `b`. Connect it.',
  );
  await expect(sql({ a: orders, b: customers }, { sql: query, names: { a: 'B' } })).rejects.toThrow(
    'two inputs are called "b"',
  );
  expect(sqlManifest.options.safeParse({ sql: 'x', names: { a: 'my table' } }).success).toBe(false);
});

import { failureOf } from '@hourglass/core/testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ingest, joinDatasets, openDataset, queryDataset, type JoinOptions } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const table = async (name: string, text: string, more: Record<string, unknown> = {}) => {
  await writeFile(join(folder, `${name}.csv`), text);
  return ingest(store, { uri: join(folder, `${name}.csv`), ...more });
};
const made = (sql: string) => queryDataset(store, { inputs: {}, sql });
const orders = await table('orders', 'id,customer,sum\n1,c2,5\n2,c1,7\n3,c9,1\n4,,2\n5,c2,8\n');
const customers = await table('customers', 'customer,town\nc1,Ulm\nc2,Rom\nc3,Oslo\n');
const on = ['customer'];
const joinThem = (options: Partial<JoinOptions> = {}, left = orders, right = customers) =>
  joinDatasets(store, left, right, { on, how: 'inner', ...options });
const rowsOf = async (ref: Parameters<typeof openDataset>[1]) =>
  [...(await (await openDataset(store, ref)).arrow())].map((row) => Object.values(row!.toJSON()).map(String).join(' '));
const failing = (options: Partial<JoinOptions>, left = orders, right = customers) =>
  failureOf(joinThem(options, left, right));

test('inner keeps the rows that find a match, left keeps all; both in the order of the left', async () => {
  const inner = await joinThem();
  expect(await rowsOf(inner.data)).toEqual(['1 c2 5 Rom', '2 c1 7 Ulm', '5 c2 8 Rom']);
  expect(inner).toMatchObject({ rows: 3, leftRows: 5, rightRows: 3, matched: 3, matchedShare: 0.6, unusedRight: 1 });
  const left = await joinThem({ how: 'left' });
  expect(await rowsOf(left.data)).toEqual(['1 c2 5 Rom', '2 c1 7 Ulm', '3 c9 1 null', '4 null 2 null', '5 c2 8 Rom']);
  expect((await joinThem()).data.digest).toBe(inner.data.digest);
});

test('a missing key matches nothing, also not another missing one', async () => {
  const [left, right] = [
    await made(`SELECT * FROM (VALUES (1, 1.5::DOUBLE), (2, 'nan'::DOUBLE), (3, NULL)) t(id, k)`),
    await made(`SELECT * FROM (VALUES ('a', 1.5::DOUBLE), ('b', 'nan'::DOUBLE), ('c', NULL)) t(name, k)`),
  ];
  expect(await joinThem({ on: ['k'] }, left, right)).toMatchObject({ rows: 1, matched: 1, unusedRight: 2 });
});

test('keys of other names, several keys, and columns that are chosen', async () => {
  const right = await made(`SELECT 'c2' AS key, 2 AS n, 'x' AS kept, 'y' AS dropped`);
  const left = await made(`SELECT * FROM (VALUES ('c2', 2), ('c2', 3)) t(customer, m)`);
  const { data } = await joinThem(
    { on: { left: ['customer', 'm'], right: ['key', 'n'] }, columns: ['kept'] },
    left,
    right,
  );
  expect(await rowsOf(data)).toEqual(['c2 2 x']);
});

test('a key that repeats where it should not is named, unless the relationship allows it', async () => {
  const twice = await table('twice', 'customer,town\nc1,Ulm\nc2,Rom\nc2,Bari\n');
  expect(await failing({}, orders, twice)).toMatch(
    /^CONTRACT_VIOLATED Join: expected each key once in the right dataset \(relationship many-to-one\), found 1 repeated: customer = c2 \(2 rows\)\. Remove the duplicates/,
  );
  expect(await failing({ relationship: 'one-to-one' })).toContain('once in the left dataset (relationship one-to-one)');
  const named = await made(`SELECT 7 AS _n FROM range(2)`);
  expect(await failing({ on: ['_n'] }, named, named)).toContain('found 1 repeated: _n = 7 (2 rows)');
  const { data } = await joinThem({ relationship: 'many-to-many' }, orders, twice);
  expect(await rowsOf(data)).toEqual(['1 c2 5 Rom', '1 c2 5 Bari', '2 c1 7 Ulm', '5 c2 8 Rom', '5 c2 8 Bari']);
});

test('a join without matches fails and shows how both sides write their keys', async () => {
  const shouting = await table('shouting', 'customer,town\nC1,Ulm\nC2,Rom\n');
  for (const how of ['inner', 'left'] as const)
    expect(await failing({ how }, orders, shouting)).toMatch(
      /^DATA_INSUFFICIENT Join: 0 of 5 left rows find a match, expected some\. The left's keys begin with "c2", "c1", "c9", the right's with "C1", "C2"/,
    );
  expect(await failing({ minMatched: 0.8 })).toContain('3 of 5 left rows find a match, expected 80 % (minMatched)');
  expect(await joinThem({ how: 'left', minMatched: 0 }, orders, shouting)).toMatchObject({ rows: 5, matched: 0 });
});

test('keys that can never be equal, and names that are there twice, are refused by name', async () => {
  const numbered = await table('numbered', 'customer,town\n1,Ulm\n');
  expect(await failing({}, orders, numbered)).toMatch(
    /^SCHEMA_MISMATCH Join: the key "customer" is VARCHAR on the left, and "customer" BIGINT on the right/,
  );
  expect(await failing({ on: ['custmer'] })).toMatch(
    /COLUMN_NOT_FOUND Join, left dataset: no column "custmer" \(did you mean "customer"/,
  );
  const sums = await table('sums', 'customer,Sum\nc1,1\nc2,2\n');
  expect(await failing({}, orders, sums)).toMatch(
    /^COLUMN_INVALID Join: both datasets have "Sum"\. Name the columns to add/,
  );
  const { data } = await joinThem({ suffix: '_known' }, orders, sums);
  expect((await openDataset(store, data)).columns.map(({ name }) => name)).toEqual([
    'id',
    'customer',
    'sum',
    'Sum_known',
  ]);
});

test('the parts of the left stay', async () => {
  const parted = await table('parted', 'region,customer\nb,c1\na,c2\na,c9\nb,c2\n', { partitionBy: ['region'] });
  const { data } = await joinThem({}, parted);
  const { parts, partitionBy } = await openDataset(store, data);
  expect(parts.map(({ key, rows }) => [key, rows])).toEqual([['a', 1], ['b', 2]]); // prettier-ignore
  expect(partitionBy).toEqual(['region']);
});

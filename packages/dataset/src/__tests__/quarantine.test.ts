import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ingestWithQuarantine, openDataset, type Contract } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const uri = join(folder, 'people.csv');
await writeFile(uri, 'id,age,town\n1,30,a\n2,old,b\n2,40,c\n4,,a\n5,200,\n6,50,zz\n');
const contract: Contract = {
  types: { age: 'integer' },
  ranges: { age: { max: 120 } },
  notNull: ['town'],
  unique: ['id'],
  values: { town: ['a', 'b', 'c'] },
};
const run = (options: { contract?: Contract; limit?: number; partitionBy?: string[] } = {}) =>
  ingestWithQuarantine(store, { uri, contract, limit: 1, ...options });

test('rows that break rules are set aside with the rules, the rest is typed as the contract says', async () => {
  const { data, quarantined, broken } = await run();
  const kept = await openDataset(store, data);
  expect(kept.columns.map((c) => [c.name, c.physical])).toEqual([
    ['id', 'BIGINT'],
    ['age', 'BIGINT'],
    ['town', 'VARCHAR'],
  ]);
  expect([...((await kept.table(['id'])).columns.id as any).values]).toEqual([1, 4]);
  expect([...((await kept.table(['age'])).columns.age as any).values]).toEqual([30, NaN]);
  const aside = await openDataset(store, quarantined);
  const rows = (await aside.arrow()).toArray().map((row) => row.toJSON());
  expect(rows).toEqual([
    { id: 2n, age: 'old', town: 'b', _row: 2n, _broken: 'types(age)' },
    { id: 2n, age: '40', town: 'c', _row: 3n, _broken: 'unique(id)' },
    { id: 5n, age: '200', town: null, _row: 5n, _broken: 'notNull(town); ranges(age)' },
    { id: 6n, age: '50', town: 'zz', _row: 6n, _broken: 'values(town)' },
  ]);
  expect(broken).toEqual({ 'types(age)': 1, 'notNull(town)': 1, 'ranges(age)': 1, 'values(town)': 1, 'unique(id)': 1 });
  expect((await run()).data.digest).toBe(data.digest);
});

test('nothing set aside is a dataset without rows', async () => {
  const { data, quarantined, broken } = await run({ contract: { minRows: 6 }, partitionBy: ['id'] });
  expect(data.rows).toBe(6);
  expect((await openDataset(store, data)).parts.map((p) => p.key)).toEqual(['1', '2', '4', '5', '6']);
  expect(quarantined.rows).toBe(0);
  expect(broken).toEqual({});
});

test('too many rows set aside, all of them, and rules about the whole fail', async () => {
  await expect(run({ limit: 0.5 })).rejects.toThrow(
    '4 of 6 rows (66.7 %) break the contract, more than quarantineLimit allows (50 %). Rows by rule: types(age) 1,',
  );
  await expect(run({ contract: { ranges: { id: { max: 0 } } } })).rejects.toThrow(
    '6 of 6 rows (100 %) break the contract, so none is left',
  );
  await expect(run({ contract: { ...contract, minRows: 3 } })).rejects.toThrow(
    'minRows: expected at least 3 rows, found 2',
  );
  await expect(run({ contract: { types: { town: 'float', id: 'string' } } })).rejects.toMatchObject({
    code: 'CONTRACT_VIOLATED',
  });
});

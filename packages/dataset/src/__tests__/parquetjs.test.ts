import { failureOf } from '@hourglass/core/testing';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportDataset, ingest, openDataset, queryDataset } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const wdbc = new URL('../../../../workflows/data/wdbc.parquet', import.meta.url).pathname;
const from = (sql: string) => queryDataset(store, { inputs: {}, sql });
const digestOf = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test('reads what pyarrow wrote as DuckDB does, awkward types included', async () => {
  const uri = fixture('awkward.parquet');
  const [duckdb, parquetjs] = [await ingest(store, { uri }), await ingest(store, { uri, codec: 'parquetjs' })];
  const [a, b] = [await openDataset(store, duckdb), await openDataset(store, parquetjs)];
  expect(b.columns).toEqual(a.columns);
  expect(String(await b.arrow())).toBe(String(await a.arrow()));
  expect(parquetjs.digest).toBe(duckdb.digest);
});

test('each reads what the other wrote, cell by cell', async () => {
  const data = await ingest(store, { uri: fixture('awkward.parquet') });
  for (const writer of ['duckdb', 'parquetjs'] as const) {
    const uri = join(folder, `${writer}.parquet`);
    await exportDataset(store, data, uri, { format: 'parquet', codec: writer });
    for (const reader of ['duckdb', 'parquetjs'] as const)
      expect((await ingest(store, { uri, codec: reader })).digest, `${writer} → ${reader}`).toBe(data.digest);
  }
});

test('a large table with gaps, long dictionaries and several row groups goes both ways', async () => {
  const data = await from(
    `SELECT CASE WHEN i % 4 > 0 THEN i / 7.0 END AS x, (i % 3)::UTINYINT AS code, 'same' AS one, NULL::VARCHAR AS none,
      CASE WHEN i % 11 > 0 THEN 'word ' || (i % 5000) END AS word, [i, NULL, -i] AS list, 4000000000 + i AS big,
      (i::UINTEGER + 4000000000::UINTEGER)::UINTEGER AS u32, 18446744073709551615::UBIGINT AS u64,
      TIMESTAMP '1950-01-01 00:00:00.000001' + to_seconds(i) AS at, DATE '1969-01-01' + (i % 800)::INTEGER AS day,
      (i - 8000)::DECIMAL(7,2) AS d7, (i - 8000)::DECIMAL(15,3) AS d15, (i - 8000)::DECIMAL(30,3) AS d30
    FROM range(17000) r(i)`,
  );
  for (const writer of ['duckdb', 'parquetjs'] as const) {
    const uri = join(folder, `large-${writer}.parquet`);
    await exportDataset(store, data, uri, { format: 'parquet', codec: writer });
    for (const reader of ['duckdb', 'parquetjs'] as const)
      expect((await ingest(store, { uri, codec: reader })).digest, `${writer} → ${reader}`).toBe(data.digest);
  }
});

test('the same dataset gives the same bytes', async () => {
  const data = await ingest(store, { uri: wdbc });
  const paths = [join(folder, 'a.parquet'), join(folder, 'b.parquet')];
  for (const path of paths) await exportDataset(store, data, path, { format: 'parquet', codec: 'parquetjs' });
  expect(await digestOf(paths[0]!)).toBe(await digestOf(paths[1]!));
});

test('columns keep their order though their names are numbers, commas or both', async () => {
  const data = await from(
    'SELECT 1 AS "2020", 2 AS "b", 3 AS "2019", 4 AS "x,y", [5] AS "10", {\'2\': 6, \'1\': 7} AS s',
  );
  const uri = join(folder, 'names.parquet');
  await exportDataset(store, data, uri, { format: 'parquet', codec: 'parquetjs' });
  for (const codec of ['duckdb', 'parquetjs'] as const)
    expect((await ingest(store, { uri, codec })).digest).toBe(data.digest);
});

test('lists, structures and maps tell missing from empty at every level', async () => {
  const data = await from(
    `SELECT unnest([[[1, NULL], [], NULL], [], NULL, [[2]]]) AS deep, unnest([{'a': [1], 'b': NULL}, {'a': NULL, 'b': 'x'}, NULL, {'a': [], 'b': ''}]) AS s,
      unnest([MAP {'k': [1]}, MAP {}, NULL, MAP {'a': NULL, 'b': []}]) AS m`,
  );
  const uri = join(folder, 'nested.parquet');
  await exportDataset(store, data, uri, { format: 'parquet', codec: 'parquetjs' });
  for (const codec of ['duckdb', 'parquetjs'] as const) {
    const back = await openDataset(store, await ingest(store, { uri, codec }));
    expect(String(await back.arrow())).toBe(String(await (await openDataset(store, data)).arrow()));
  }
});

test('types without an exact place, and files it cannot read, are named with the way out', async () => {
  const long = await from(`SELECT INTERVAL 1 DAY AS "how long"`);
  const path = join(folder, 'interval.parquet');
  expect(await failureOf(exportDataset(store, long, path, { format: 'parquet', codec: 'parquetjs' }))).toBe(
    `COLUMN_INVALID Export to ${path}: codec parquetjs has no exact place for "how long" (INTERVAL). Leave \`codec\` out, or exclude the column.`,
  );
  await exportDataset(store, long, path, { format: 'parquet' });
  expect(await failureOf(ingest(store, { uri: path, codec: 'parquetjs' }))).toContain(
    'Column "how long": codec parquetjs cannot keep its type exactly (FIXED_LEN_BYTE_ARRAY). Leave `codec` out.',
  );
  expect(await failureOf(ingest(store, { uri: fixture('case-twins.parquet'), codec: 'parquetjs' }))).toContain(
    'the columns "A" and "a" differ only in upper and lower case',
  );
  expect(await failureOf(ingest(store, { uri: fixture('no-rows.parquet'), codec: 'parquetjs' }))).toContain(
    'holds no rows (it has the columns "x")',
  );
});

test('identifiers and booleans come through, wherever they lie', async () => {
  const data = await from(
    `SELECT * FROM (VALUES (UUID 'ffffffff-0000-4000-8000-00000000000f', true, [true, NULL]), (NULL, NULL, []), (UUID '00000000-0000-4000-8000-000000000001', false, [false])) t(id, flag, flags)`,
  );
  const uri = join(folder, 'flags.parquet');
  await exportDataset(store, data, uri, { format: 'parquet', codec: 'parquetjs' });
  for (const codec of ['duckdb', 'parquetjs'] as const)
    expect((await ingest(store, { uri, codec })).digest).toBe(data.digest);
});

import { expect, test } from 'vitest';
import { openDataset, queryDataset, writeDataset, type Table } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store } = await tempStore();

const numbers = (values: number[]): { kind: 'numeric'; values: Float64Array } => ({
  kind: 'numeric',
  values: Float64Array.from(values),
});

const people: Table = {
  rows: 4,
  columns: {
    id: numbers([1, 2, 3, 4]),
    height: numbers([1.5, NaN, 1.75, -2]),
    member: numbers([1, 0, NaN, 1]),
    born: numbers([0, 86_400_000, NaN, -86_400_000]),
    at: numbers([0.001, 1_700_000_000_123.456, NaN, -1]),
    town: { kind: 'category', codes: Int32Array.of(1, -1, 0, 1), categories: ['Ólafsvík', 'b"\'x'] },
  },
};
const columns = [
  { name: 'id', physical: 'BIGINT' },
  { name: 'height', physical: 'DOUBLE' },
  { name: 'member', physical: 'BOOLEAN' },
  { name: 'born', physical: 'DATE' },
  { name: 'at', physical: 'TIMESTAMP' },
  { name: 'town', physical: 'VARCHAR' },
];

test('tables come back as they were written', async () => {
  const ref = await writeDataset(store, {
    columns,
    parts: [
      { key: 'a', tables: [people] },
      { key: 'b', tables: [people, people] },
    ],
  });
  const data = await openDataset(store, ref);
  expect(ref.rows).toBe(12);
  expect(data.columns.map((c) => [c.name, c.type, c.physical])).toEqual([
    ['id', 'integer', 'BIGINT'],
    ['height', 'float', 'DOUBLE'],
    ['member', 'boolean', 'BOOLEAN'],
    ['born', 'date', 'DATE'],
    ['at', 'timestamp', 'TIMESTAMP'],
    ['town', 'string', 'VARCHAR'],
  ]);
  expect(data.parts.map((p) => [p.key, p.rows])).toEqual([
    ['a', 4],
    ['b', 8],
  ]);
  const table = await data.table(undefined, { part: 'a' });
  expect(table).toEqual({
    ...people,
    columns: {
      ...people.columns,
      town: { kind: 'category', codes: Int32Array.of(0, -1, 1, 0), categories: ['b"\'x', 'Ólafsvík'] },
    },
  });
  const window = await data.table(['id'], { offset: 3, limit: 6 });
  expect([...(window.columns.id as { values: Float64Array }).values]).toEqual([4, 1, 2, 3, 4, 1]);
  const seen = [];
  for await (const chunk of data.chunks(['id'], { rows: 3 })) seen.push([chunk.part, chunk.offset, chunk.rows]);
  expect(seen).toEqual([
    ['a', 0, 3],
    ['a', 3, 1],
    ['b', 0, 3],
    ['b', 3, 3],
    ['b', 6, 2],
  ]);
});

test('the same rows give the same bytes, however they are handed over', async () => {
  const rows = 300_000;
  const values = Float64Array.from({ length: rows }, (_, i) => Math.sin(i));
  const whole: Table = { rows, columns: { x: { kind: 'numeric', values } } };
  const pieces = [0, 100_000, 200_000].map((from): Table => ({
    rows: 100_000,
    columns: { x: { kind: 'numeric', values: values.subarray(from, from + 100_000) } },
  }));
  const spec = [{ name: 'x', physical: 'DOUBLE' }];
  const one = await writeDataset(store, { columns: spec, parts: [{ tables: [whole] }] });
  const two = await writeDataset(store, { columns: spec, parts: [{ tables: pieces }] });
  expect(two.digest).toBe(one.digest);
  expect((await (await openDataset(store, one)).table()).columns.x).toEqual({ kind: 'numeric', values });
});

test('a query puts equal parts side by side and keeps physical types', async () => {
  const ref = await writeDataset(store, {
    columns,
    parts: [
      { key: 'a', tables: [people] },
      { key: 'b', tables: [people] },
    ],
  });
  const mask = await writeDataset(store, {
    columns: [{ name: 'height', physical: 'BOOLEAN' }],
    parts: ['a', 'b'].map((key, i) => ({ key, tables: [{ rows: 4, columns: { height: numbers([1 - i, 0, 0, i]) } }] })),
  });
  const masked = await queryDataset(store, {
    inputs: { data: ref, mask },
    sql: 'SELECT d.id, CASE WHEN m.height THEN NULL ELSE d.height END AS height, d.born FROM data d POSITIONAL JOIN mask m',
    perPart: true,
  });
  const data = await openDataset(store, masked);
  expect(data.columns.map((c) => c.physical)).toEqual(['BIGINT', 'DOUBLE', 'DATE']);
  expect(data.parts.map((p) => p.key)).toEqual(['a', 'b']);
  const { values } = (await data.table(['height'])).columns.height as { values: Float64Array };
  expect([...values]).toEqual([NaN, NaN, 1.75, -2, 1.5, NaN, 1.75, NaN]);
  const shorter = await writeDataset(store, {
    columns: [{ name: 'x', physical: 'DOUBLE' }],
    parts: [{ key: 'a', tables: [{ rows: 1, columns: { x: numbers([1]) } }] }],
  });
  await expect(
    queryDataset(store, { inputs: { data: ref, mask: shorter }, sql: 'SELECT 1', perPart: true }),
  ).rejects.toThrow(
    'expected the same parts with the same rows, found "data" has 2 parts, 8 rows and "mask" has 1 parts, 1 rows',
  );
});

test('tables that do not fit are refused by name', async () => {
  const write = (physical: string, table: Table) =>
    writeDataset(store, { columns: [{ name: 'x', physical }], parts: [{ tables: [table] }] });
  await expect(write('DOUBLE', people)).rejects.toThrow('column "x" is not in the table');
  await expect(write('TINYINT', { rows: 1, columns: { x: numbers([300]) } })).rejects.toMatchObject({
    code: 'COLUMN_INVALID',
    message: expect.stringContaining('300'),
  });
  await expect(write('UNION(a INTEGER)', { rows: 0, columns: { x: numbers([]) } })).rejects.toThrow();
});

test('a query joins rows from memory to rows found by their number in the part', async () => {
  const data = await writeDataset(store, { columns: columns.slice(0, 2), parts: [{ tables: [people] }] });
  const asked = {
    columns: [
      { name: 'row', physical: 'BIGINT' },
      { name: 'rank', physical: 'INTEGER' },
    ],
    tables: [
      { rows: 2, columns: { row: numbers([3, 0]), rank: numbers([1, 2]) } },
      { rows: 1, columns: { row: numbers([3]), rank: numbers([3]) } },
    ],
  };
  const found = await queryDataset(store, {
    inputs: { data },
    tables: { asked },
    numbered: { data: 'n' },
    sql: 'SELECT asked.rank, data.id, data.n FROM asked JOIN data ON data.n = asked.row ORDER BY rank',
  });
  const { columns: read } = await (await openDataset(store, found)).table();
  expect([read.id, read.n].map((column) => [...(column as { values: Float64Array }).values])).toEqual([
    [4, 1, 4],
    [3, 0, 3],
  ]);
  // DuckDB knows the rows of a file by this name: a column of it hides them.
  const hidden = await queryDataset(store, { inputs: { data }, sql: 'SELECT *, 9 AS file_row_number FROM data' });
  const second = await queryDataset(store, {
    inputs: { hidden },
    numbered: { hidden: 'n' },
    sql: 'SELECT id, file_row_number, n FROM hidden WHERE n = 3',
  });
  const { columns: one } = await (await openDataset(store, second)).table();
  expect(Object.values(one).map((column) => [...(column as { values: Float64Array }).values])).toEqual([[4], [9], [3]]);
  await expect(
    queryDataset(store, { inputs: { data }, numbered: { data: 'ID' }, sql: 'SELECT "ID" FROM data' }),
  ).rejects.toThrow('"data" has a column "ID" already');
  const parts = await writeDataset(store, {
    columns: columns.slice(0, 2),
    parts: ['a', 'b'].map((key) => ({ key, tables: [people] })),
  });
  await expect(
    queryDataset(store, { inputs: { parts }, numbered: { parts: 'n' }, sql: 'SELECT n FROM parts' }),
  ).rejects.toThrow('rows of "parts" can be numbered only in one part, it has 2');
});

import { expect, test } from 'vitest';
import { openDataset, queryDataset, writeDataset } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store } = await tempStore();
const from = async (sql: string) => openDataset(store, await queryDataset(store, { inputs: {}, sql }));

test('centre and scale are applied in double before the cast', async () => {
  const data = await from(
    'SELECT 1700000000 + i::DOUBLE AS t, CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS n, i > 1 AS b FROM range(5000) r(i)',
  );
  const { rows, cols, data: x } = await data.matrix([{ name: 't', center: 1700000000, scale: 2 }, 'n', 'b']);
  expect([rows, cols]).toEqual([5000, 3]);
  expect([...x.subarray(0, 9)]).toEqual([0, NaN, 0, 0.5, 1, 0, 1, 2, 1]);
  expect([...x.subarray(4999 * 3)]).toEqual([2499.5, 4999, 1]);
});

test('windows are the same rows as the whole', async () => {
  const data = await from('SELECT i::DOUBLE AS x, -i AS y FROM range(300000) r(i)');
  const whole = await data.matrix(['y', 'x']);
  const window = await data.matrix(['y', 'x'], { offset: 122_870, limit: 20 });
  expect(window.data).toEqual(whole.data.subarray(122_870 * 2, 122_890 * 2));
});

test('infinite and NaN cells pass, values outside float are named', async () => {
  const data = await from(`SELECT unnest(['inf'::DOUBLE, '-inf', 'nan', NULL]) AS x`);
  expect([...(await data.matrix(['x'])).data]).toEqual([Infinity, -Infinity, NaN, NaN]);
  const huge = await from(`SELECT unnest([1.5, 1e300]) AS big, 1 AS y`);
  await expect(huge.matrix(['y', 'big'])).rejects.toMatchObject({
    code: 'COLUMN_INVALID',
    message: expect.stringContaining(
      'Column "big": 1e+300 (row 2 of those read) is outside the range of a 32-bit float',
    ),
  });
  expect([...(await huge.matrix([{ name: 'big', scale: 1e300 }])).data]).toEqual([0, 1]);
});

test('text, exact numbers beyond double and unknown names are refused by name', async () => {
  const data = await from(
    `SELECT 'a' AS word, 9007199254740993 AS id, 12345678901234567.125::DECIMAL(38,3) AS price, 1.5::DECIMAL(38,3) AS small, 5::HUGEINT AS h`,
  );
  expect(data.columns.map((c) => c.type)).toEqual(['string', 'bigint', 'decimal', 'float', 'integer']);
  await expect(data.matrix(['word', 'id', 'price', 'small'])).rejects.toThrow(
    'expected numbers, found "word" (text), "id" (BIGINT with values that a double cannot hold exactly), "price" (DECIMAL(38,3)',
  );
  expect([...(await data.matrix(['small', 'h'])).data]).toEqual([1.5, 5]);
  expect((await data.table(['id', 'price'])).columns).toEqual({
    id: { kind: 'category', codes: Int32Array.of(0), categories: ['9007199254740993'] },
    price: { kind: 'category', codes: Int32Array.of(0), categories: ['12345678901234567.125'] },
  });
  await expect(data.matrix(['wrod', 'zzz'])).rejects.toThrow(
    'no column "wrod" (did you mean "word"?), "zzz". The columns are "word", "id"',
  );
});

test('vectors are spread over their length, with missing ones as NaN', async () => {
  const data = await from(
    `SELECT * FROM (VALUES (1, [1, 2, 3]::UTINYINT[]), (2, NULL), (3, [7, 8, 9]::UTINYINT[])) t(a, v)`,
  );
  expect(data.columns[1]).toEqual({ name: 'v', type: 'vector', physical: 'UTINYINT[]', length: 3 });
  const { cols, data: x } = await data.matrix(['v', { name: 'a', center: 1 }]);
  expect(cols).toBe(4);
  expect([...x]).toEqual([1, 2, 3, 0, NaN, NaN, NaN, 1, 7, 8, 9, 2]);
  const ragged = await from('SELECT unnest([[1, 2], [3]]) AS v');
  expect(ragged.columns[0]!.type).toBe('other');
  await expect(ragged.table(['v'])).rejects.toThrow(
    'Column "v" (INTEGER[]): expected numbers, text, points in time or lists of numbers of one length',
  );
});

test('a column called file_row_number is like any other', async () => {
  const data = await openDataset(
    store,
    await writeDataset(store, {
      columns: [{ name: 'file_row_number', physical: 'DOUBLE' }],
      parts: [
        { tables: [{ rows: 3, columns: { file_row_number: { kind: 'numeric', values: Float64Array.of(7, 8, 9) } } }] },
      ],
    }),
  );
  expect([...(await data.matrix(['file_row_number'], { offset: 1, limit: 1 })).data]).toEqual([8]);
});

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Field, FixedSizeList, makeData, RecordBatch, Schema, Struct, Table, tableToIPC, Uint8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import {
  exportDataset,
  ingest,
  openDataset,
  profileDataset,
  queryDataset,
  sampleRows,
  writeDataset,
} from '../index.ts';
import { tempStore } from './temp-store.ts';

const DIGITS = fileURLToPath(new URL('../../../../workflows/data/digits.parquet', import.meta.url));
const { store } = await tempStore();
const folder = await mkdtemp(join(tmpdir(), 'hourglass-vectors-'));
const PIXELS = Array.from({ length: 64 }, (_, k) => `p${Math.floor(k / 8)}${k % 8}`);
/** Real digits with their 64 pixels in one list; the fifth is missing. */
const digits = await queryDataset(store, {
  inputs: {},
  sql: `SELECT CASE WHEN i <> 5 THEN list_value(${PIXELS.join(', ')})::UTINYINT[] END AS pixels, label FROM (SELECT row_number() OVER () AS i, * FROM read_parquet('${DIGITS}'))`,
});
const flat = await openDataset(
  store,
  await queryDataset(store, { inputs: {}, sql: `SELECT * FROM read_parquet('${DIGITS}')` }),
);

test('a list of numbers of one length is one column of one block, as a matrix and in memory', async () => {
  const data = await openDataset(store, digits);
  expect(data.columns[0]).toEqual({ name: 'pixels', type: 'vector', physical: 'UTINYINT[]', length: 64 });
  const truth = (await flat.matrix(PIXELS)).data.fill(NaN, 4 * 64, 5 * 64);
  const { columns, vectors } = await data.table(['pixels', 'label']);
  expect(Object.keys(columns)).toEqual(['label']);
  expect(vectors!.pixels!.length).toBe(64);
  expect(vectors!.pixels!.values).toEqual(truth);
  expect((await data.matrix(['pixels'])).data).toEqual(truth);
  // A window of them is the same rows; columns of one value are all that is read unasked.
  const window = await data.table(['pixels'], { offset: 1000, limit: 3 });
  expect(window.vectors!.pixels!.values).toEqual(truth.subarray(1000 * 64, 1003 * 64));
  expect((await data.table()).vectors).toBeUndefined();
  expect((await sampleRows(data, ['pixels'], 200)).vectors!.pixels!.values).toHaveLength(200 * 64);
});

test('vectors go out in the type they came in, by Parquet and by Arrow, and come in again the same', async () => {
  for (const format of ['parquet', 'arrow'] as const) {
    const path = join(folder, `digits.${format}`);
    await exportDataset(store, digits, path, { format });
    const again = await openDataset(store, await ingest(store, { uri: path }));
    expect(again.columns).toEqual((await openDataset(store, digits)).columns);
    expect((await again.matrix(['pixels'])).data).toEqual(
      (await (await openDataset(store, digits)).matrix(['pixels'])).data,
    );
  }
});

test('an Arrow list of fixed size is a vector', async () => {
  const cells = (await flat.matrix(PIXELS, { limit: 20 })).data;
  const type = new FixedSizeList(64, new Field('item', new Uint8(), false));
  const child = makeData({ type: new Uint8(), data: Uint8Array.from(cells), length: cells.length, nullCount: 0 });
  const schema = new Schema([new Field('image', type, true)]);
  const list = makeData({ type, length: 20, nullCount: 0, child });
  const batch = new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: 20, nullCount: 0, children: [list] }) as never,
  );
  const path = join(folder, 'fixed.arrow');
  await writeFile(path, tableToIPC(new Table([batch]), 'file'));
  const data = await openDataset(store, await ingest(store, { uri: path }));
  expect(data.columns).toEqual([{ name: 'image', type: 'vector', physical: 'UTINYINT[]', length: 64 }]);
  expect((await data.matrix(['image'])).data).toEqual(cells);
});

test('vectors from memory are written in the type asked for, rounded where it is whole, missing where NaN', async () => {
  const written = await writeDataset(store, {
    columns: [{ name: 'v', physical: 'UTINYINT[]' }],
    parts: [
      {
        tables: [
          {
            rows: 3,
            columns: {},
            vectors: { v: { values: Float64Array.of(1.4, 254.6, NaN, NaN, 0, 255), length: 2 } },
          },
        ],
      },
    ],
  });
  const data = await openDataset(store, written);
  expect(data.columns).toEqual([{ name: 'v', type: 'vector', physical: 'UTINYINT[]', length: 2 }]);
  expect([...(await data.matrix(['v'])).data]).toEqual([1, 255, NaN, NaN, 0, 255]);
  await expect(
    writeDataset(store, {
      columns: [{ name: 'v', physical: 'UTINYINT[]' }],
      parts: [{ tables: [{ rows: 1, columns: {}, vectors: { v: { values: Float32Array.of(1, 256), length: 2 } } }] }],
    }),
  ).rejects.toMatchObject({ code: 'COLUMN_INVALID' });
});

test('lists of differing lengths or with holes are no vectors, and a profile says what is missing', async () => {
  const ragged = await openDataset(
    store,
    await queryDataset(store, {
      inputs: {},
      sql: 'SELECT unnest([[1.5], [2, 3]]) AS a, unnest([[1, NULL], [2, 3]]) AS b',
    }),
  );
  expect(ragged.columns.map(({ type }) => type)).toEqual(['other', 'other']);
  const { columns } = await profileDataset(store, digits);
  expect(columns.pixels).toEqual({ type: 'vector', physical: 'UTINYINT[]', missing: 1 });
});

test('an element beyond single precision is named by row and place', async () => {
  const data = await openDataset(store, await queryDataset(store, { inputs: {}, sql: 'SELECT [1, 1e300] AS v' }));
  await expect(data.matrix(['v'])).rejects.toThrow(
    'Column "v": element 2 of row 1 of those read, 1e+300, is outside the range',
  );
  expect((await data.table(['v'])).vectors!.v!.values[1]).toBe(1e300);
});

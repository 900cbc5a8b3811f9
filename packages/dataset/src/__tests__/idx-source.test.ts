import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ingest, openDataset, queryDataset } from '../index.ts';
import { tempStore } from './temp-store.ts';

const DIGITS = fileURLToPath(new URL('../../../../workflows/data/digits.parquet', import.meta.url));
const { store } = await tempStore();
const folder = await mkdtemp(join(tmpdir(), 'hourglass-idx-'));
const flat = await openDataset(
  store,
  await queryDataset(store, { inputs: {}, sql: `SELECT * FROM read_parquet('${DIGITS}')` }),
);
const names = flat.columns.map(({ name }) => name);
const pixels = (await flat.matrix(names.filter((name) => name !== 'label'))).data;
const labels = (await flat.matrix(['label'])).data;

/** An idx file as MNIST's: 00 00, type, dimensions, sizes, numbers with the first byte first. */
function idx(type: number, sizes: number[], values: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.set([0, 0, type, sizes.length]);
  sizes.forEach((size, k) => head.writeUInt32BE(size, 4 + 4 * k));
  return Buffer.concat([head, values]);
}

const images = idx(8, [flat.rows, 8, 8], Uint8Array.from(pixels));
const classes = idx(8, [flat.rows], Uint8Array.from(labels));
const file = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

test('images and their labels are one table of a vector and a number, plain and packed', async () => {
  await file('plain-images-idx3-ubyte', images);
  await file('plain-labels-idx1-ubyte', classes);
  await file('packed-images-idx3-ubyte.gz', gzipSync(images));
  await file('packed-labels-idx1-ubyte.gz', gzipSync(classes));
  const refs = await Promise.all(['plain', 'packed'].map((name) => ingest(store, { uri: join(folder, `${name}-*`) })));
  expect(refs[1]).toEqual(refs[0]);
  const data = await openDataset(store, refs[0]!);
  expect(data.columns).toEqual([
    { name: 'pixels', type: 'vector', physical: 'UTINYINT[]', length: 64 },
    { name: 'label', type: 'integer', physical: 'UTINYINT' },
  ]);
  expect((await data.matrix(['pixels'])).data).toEqual(pixels);
  expect((await data.matrix(['label'])).data).toEqual(labels);
});

test('one file is a table of its own, and wide numbers keep their bytes in order', async () => {
  const data = await openDataset(store, await ingest(store, { uri: join(folder, 'plain-images-idx3-ubyte') }));
  expect(data.columns.map(({ name }) => name)).toEqual(['pixels']);
  const values = Buffer.alloc(12);
  [-1.5, 2, 3e30].forEach((value, i) => values.writeFloatBE(value, 4 * i));
  const floats = await ingest(store, { uri: await file('floats.idx', idx(0x0d, [1, 3], values)) });
  expect([...(await (await openDataset(store, floats)).matrix(['pixels'])).data]).toEqual([-1.5, 2, Math.fround(3e30)]);
});

test('a file that is cut, too long, packed badly, of another kind or with other labels is refused by name', async () => {
  const refused = async (name: string, bytes: Uint8Array, uri = name): Promise<string> => {
    await file(name, bytes);
    return ingest(store, { uri: join(folder, uri) }).then(
      () => 'taken',
      (error: Error & { code?: string }) => `${error.code} ${error.message}`,
    );
  };
  expect(await refused('cut-images-idx3-ubyte', images.subarray(0, 5000))).toMatch(
    /^SOURCE_INVALID Source .*cut-images-idx3-ubyte: the file is cut short: its header speaks of 1797 rows/,
  );
  expect(await refused('long-idx3-ubyte', Buffer.concat([images, Buffer.of(1)]))).toContain(
    'bytes follow the 1797 rows',
  );
  expect(await refused('bad-idx3-ubyte.gz', gzipSync(images).subarray(0, 900))).toMatch(
    /bad-idx3-ubyte.gz: it cannot be read/,
  );
  expect(await refused('text.idx', Buffer.from('a,b\n1,2\n'))).toContain(
    'expected an idx file (it begins with 00 00, a type and the number of dimensions), found one that begins with 61 2c 62 0a',
  );
  await file('few-labels-idx1-ubyte', idx(8, [3], Uint8Array.of(1, 2, 3)));
  expect(await refused('few-images-idx3-ubyte', images, 'few-*')).toContain(
    'it holds 1797 rows and few-labels-idx1-ubyte 3 labels',
  );
});

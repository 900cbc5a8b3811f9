import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { failureOf } from '@hourglass/core/testing';
import { ingest, openDataset, queryDataset, readRecords } from '@hourglass/dataset';
import { blankImage, readImages, withChannels, writeImages } from '@hourglass/images';
import { runStage } from '@hourglass/plugin-kit/testing';
import { afterAll, expect, test } from 'vitest';
import { run as runImages } from '../images.ts';
import { images, pixels } from '../index.ts';
import { run } from '../pixels.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-pixels-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const context = { artifacts };
const made = (data: ArtifactRef, options: Record<string, unknown> = {}) =>
  runStage({ manifest: pixels, run, inputs: { data }, options, context });
const rowsOf = async (ref: ArtifactRef) => {
  const all = [];
  for await (const record of readRecords(artifacts, ref)) all.push(record);
  return all;
};
const colours = (shade: number, width = 3, height = 2) => ({
  ...blankImage(width, height, 3),
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * shade) & 255),
});

const photos = await queryDataset(artifacts, {
  inputs: {
    photos: await ingest(artifacts, {
      uri: fileURLToPath(new URL('../../../../workflows/data/cifar10-small.parquet', import.meta.url)),
    }),
  },
  sql: 'SELECT 7 AS id, * FROM photos LIMIT 150',
  partitionBy: ['label'],
});

test('photographs become lists of grey numbers 0 … 1, row by row, their other columns and names beside them', async () => {
  const { outputs, said } = await made(photos);
  expect(outputs.metrics).toEqual({ images: 150, height: 32, width: 32, channels: 1 });
  expect(JSON.stringify(said)).toContain(
    '150 pictures of 32 × 32 are lists of 1024 numbers: learn them with columns: [pixels]',
  );
  const { columns } = await openDataset(artifacts, outputs.data);
  expect(columns.map(({ name, type, length }) => [name, type, length].join(' ').trim())).toEqual([
    'id integer',
    'pixels vector 1024',
    'path string',
    'label string',
    'split string',
  ]);
  const [before, after] = [await rowsOf(photos), await rowsOf(outputs.data)];
  expect(after.map(({ label, path }) => [label, path])).toEqual(
    before.map(({ label, image }) => [label, (image as { path: string }).path]),
  );
  let row = 0;
  for await (const { image } of readImages(artifacts, photos, { where: 'test' }))
    expect(after[row++]!.pixels).toEqual(Array.from(withChannels(image, 1).data, (byte) => Math.fround(byte / 255)));
});

test('colours stand side by side, and data/images makes the same pictures of them again', async () => {
  const data = await writeImages(artifacts, {
    images: [5, 9].map((shade) => ({ image: colours(shade), name: 'a.png' })),
  });
  const { outputs } = await made(data, { channels: 'rgb' });
  const again = await runStage({
    manifest: images,
    run: runImages,
    inputs: { data: outputs.data },
    options: { pixels: { width: 3, height: 2, channels: 3, max: 1, columns: ['pixels'] } },
    context,
  });
  const found = [];
  for await (const { image } of readImages(artifacts, again.outputs.data, { where: 'test' })) found.push(image);
  expect(found).toEqual([colours(5), colours(9)]);
});

test('a column a pixel says where the pixel is', async () => {
  const data = await writeImages(artifacts, {
    columns: [{ name: 'path', physical: 'INTEGER' }],
    images: [{ image: colours(5), name: 'a.png', record: { path: 4 } }],
  });
  const { outputs } = await made(data, { layout: 'columns', channels: 'rgb' });
  const [row] = await rowsOf(outputs.data);
  expect(Object.keys(row!).slice(0, 4)).toEqual(['pixel_0_0_r', 'pixel_0_0_g', 'pixel_0_0_b', 'pixel_0_1_r']);
  expect(Object.keys(row!)).toHaveLength(3 * 2 * 3 + 1);
  expect(row).toMatchObject({ path: 4, pixel_1_2_b: Math.fround((17 * 5) / 255) });
});

test('pictures alone, as bare bytes, need no other column', async () => {
  const named = await writeImages(artifacts, { images: [{ image: colours(5), name: 'a.png' }] });
  const data = await queryDataset(artifacts, { inputs: { named }, sql: 'SELECT image.bytes AS scan FROM named' });
  expect(Object.keys((await rowsOf((await made(data)).outputs.data))[0]!)).toEqual(['pixels']);
});

test('several sizes, no pictures, too large ones and a name that is taken are refused by name', async () => {
  const mixed = await writeImages(artifacts, {
    images: [3, 3, 4].map((width) => ({ image: colours(5, width), name: 'a.png' })),
  });
  expect(await failureOf(made(mixed))).toBe(
    'COLUMN_INVALID data/pixels: expected pictures of one size, found 2 of 3 × 2, 1 of 4 × 2. Bring them to one with data/images: resize: { width: 3, height: 2 }.',
  );
  const plain = await queryDataset(artifacts, { inputs: {}, sql: 'SELECT 1 AS id' });
  expect(await failureOf(made(plain))).toContain(
    'COLUMN_NOT_FOUND data/pixels: expected a column of encoded pictures (STRUCT(bytes BLOB, path VARCHAR)), found id INTEGER. Bring pictures in with data/images.',
  );
  const large = await writeImages(artifacts, { images: [{ image: colours(5, 100, 100), name: 'a.png' }] });
  expect((await made(large)).outputs.metrics.images).toBe(1);
  expect(await failureOf(made(large, { channels: 'rgb' }))).toContain(
    'expected pictures of at most 12288 numbers, found 100 × 100 × 3 = 30000. Give data/images a smaller size',
  );
  const taken = await writeImages(artifacts, {
    columns: [{ name: 'Pixels', physical: 'INTEGER' }],
    images: [{ image: colours(5), name: 'a.png', record: { Pixels: 1 } }],
  });
  expect(await failureOf(made(taken))).toContain('the dataset has a column "Pixels" already');
  const none = await queryDataset(artifacts, { inputs: { mixed }, sql: 'SELECT * FROM mixed LIMIT 0' });
  expect(await failureOf(made(none))).toContain('DATA_INSUFFICIENT data/pixels: the dataset has no rows');
});

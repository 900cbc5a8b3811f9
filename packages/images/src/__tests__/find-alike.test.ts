import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { ingest, openDataset } from '@hourglass/dataset';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeImage } from '../decode.ts';
import { encodeImage } from '../encode.ts';
import { alikeFinder } from '../find-alike.ts';
import { fitImage } from '../fit.ts';
import { pictureSketch } from '../picture-sketch.ts';
import type { RawImage } from '../raw-image.ts';
import { readImages } from '../read-images.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-alike-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const { artifacts } = await openStore(join(folder, 'store'));
const shipped = (name: string) =>
  ingest(artifacts, { uri: fileURLToPath(new URL(`../../../../workflows/data/${name}`, import.meta.url)) });

/** How many of the pictures look like one before them, and how many copies like the picture they are of. */
async function found(pictures: RawImage[], copyOf?: (image: RawImage) => Promise<RawImage>): Promise<number[]> {
  const finder = alikeFinder();
  const alike = pictures.filter((image, i) => finder.find(String(i), pictureSketch(image)) !== undefined).length;
  let again = 0;
  for (const [i, image] of pictures.entries())
    if (copyOf && finder.find('copy', pictureSketch(await copyOf(image))) === String(i)) again++;
  return [alike, again];
}

let photos: RawImage[];
beforeAll(async () => {
  photos = [];
  for await (const { image } of readImages(artifacts, await shipped('cifar10-small.parquet'), {
    where: 'test',
    limit: 200,
  }))
    photos.push(image);
});

test('photographs compressed again, at half and at twice their size are known again, and no other one', async () => {
  const compressed = async (image: RawImage): Promise<RawImage> =>
    decodeImage(await encodeImage(image, 'jpeg', 80), 'copy.jpg');
  const chroma = async ({ data, ...raw }: RawImage): Promise<RawImage> =>
    decodeImage(await sharp(data, { raw }).jpeg({ quality: 80 }).toBuffer(), 'copy.jpg');
  const resized = (side: number) => (image: RawImage) => fitImage(image, { width: side, height: side }, 'stretch');
  for (const copyOf of [compressed, chroma, resized(16), resized(64)]) {
    const [alike, again] = await found(photos, copyOf);
    expect(alike).toBe(0);
    expect(again).toBeGreaterThanOrEqual(196);
  }
});

test('one colour is not another, and the same colour at another size is the same', async () => {
  const flat = (width: number, ...colour: number[]): RawImage => ({
    width,
    height: 20,
    channels: 3,
    data: Uint8Array.from({ length: width * 60 }, (_, i) => colour[i % 3]!),
  });
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
    [0, 0, 0],
  ];
  expect(await found(colours.map((colour) => flat(20, ...colour)))).toEqual([0, 0]);
  expect(await found([flat(20, 9, 80, 200), flat(33, 9, 80, 200)])).toEqual([1, 0]);
});

test('no handwritten digit is another', async () => {
  const { columns, matrix } = await openDataset(artifacts, await shipped('digits.parquet'));
  const { rows, data } = await matrix(columns.map(({ name }) => name).filter((name) => name !== 'label'));
  const digits = Array.from({ length: rows }, (_, i): RawImage => {
    const pixels = data.subarray(64 * i, 64 * i + 64);
    return {
      width: 8,
      height: 8,
      channels: 1,
      data: Uint8Array.from(pixels, (value) => Math.round((255 * value) / 16)),
    };
  });
  expect(await found(digits)).toEqual([0, 0]);
});

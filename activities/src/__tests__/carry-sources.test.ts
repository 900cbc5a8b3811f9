import { mkdirSync, mkdtempSync, type ReadStream, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '@hourglass/artifacts';
import { discoverPlugins } from '@hourglass/runtime';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { CarriedSources } from '../carried-sources.ts';
import { carrySources } from '../client/carry-sources.ts';
import { compileSource } from '../worker/store-activities.ts';
import { toyPlugin } from './support/place.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'hourglass-carry-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(home, 'node_modules'));
symlinkSync(toyPlugin, join(home, 'node_modules/hourglass-plugin-toy'));
const plugins = await discoverPlugins({ from: [home, root] });

/** Where the pipeline and its files are. */
let baseDir: string;
beforeEach(() => {
  baseDir = mkdtempSync(join(home, 'case-'));
});

const write = (name: string, text = 'id,x\n1,2\n'): string => {
  mkdirSync(dirname(join(baseDir, name)), { recursive: true });
  writeFileSync(join(baseDir, name), text);
  return join(baseDir, name);
};

/** What a pipeline of these stages carries, by paths from where it begins. */
async function carried(
  stages: string,
  binding: Parameters<typeof carrySources>[1] = {},
  stored: (store: Store) => Store = (store) => store,
): Promise<string[]> {
  const params = 'params: { day: { type: string, default: mon } }';
  const source = { file: 'p.yaml', files: { 'p.yaml': `hourglass: v1\nname: toy\n${params}\nstages:\n${stages}` } };
  const plan = compileSource({ name: 'toy', source, baseDir }, plugins);
  const store = await openStore(join(baseDir, 'store'));
  const digest = await carrySources({ store: stored(store), plugins, plan, baseDir }, binding);
  if (digest === undefined) return [];
  const { files } = JSON.parse(Buffer.from(await store.artifacts.readBlob(digest)).toString()) as CarriedSources;
  return files.map(({ path }) => path);
}

test('what is known only while the run goes on may name a place that every machine has, and no other', async () => {
  const after = (uri: string): string => `  first: { uses: toy/emit }
  ingest: { uses: data/ingest, needs: [first], with: { uri: "${uri}" } }
`;
  expect(await carried(after('s3://lake/${{ run.partition }}.csv'))).toEqual([]);
  expect(await carried(after('/data/${{ run.partition }}.csv'))).toEqual([]);
  await expect(carried(after('x-${{ run.partition }}.csv'))).rejects.toThrow(
    /`ingest` reads x-.*cannot be carried there/,
  );
});

const ingest = (more = ''): string =>
  `  ingest: { uses: data/ingest, with: { uri: "\${{ params.day }}.csv" }${more} }\n`;

test('a source that the params name is carried, whether or not the stage looks into the cache', async () => {
  write('mon.csv');
  write('tue.csv');
  expect(await carried(ingest())).toEqual(['mon.csv']);
  expect(await carried(ingest(), { params: { day: 'tue' } })).toEqual(['tue.csv']);
  expect(await carried(ingest(), { force: true })).toEqual(['mon.csv']);
  expect(await carried(ingest(), { force: ['ingest'] })).toEqual(['mon.csv']);
  expect(await carried(ingest(), { from: ['ingest'] })).toEqual(['mon.csv']);
  expect(await carried(ingest(', cache: false'))).toEqual(['mon.csv']);
});

test('a stage that takes no part in the run need not say what it reads', async () => {
  write('mon.csv');
  const stages = `${ingest()}  other: { uses: data/ingest, needs: [ingest], with: { uri: "x-\${{ params.day }}.csv" } }\n`;
  await expect(carried(stages)).rejects.toThrow(/`other` reads x-.*cannot be carried there/);
  expect(await carried(stages, { only: ['ingest'] })).toEqual(['mon.csv']);
});

test('the sources of every item of a fan-out are carried, however few run side by side', async () => {
  const items = ['a', 'b', 'c', 'd'];
  for (const item of items) write(`${item}.csv`);
  const fan = `forEach: { in: [${items.join(', ')}], as: name, maxParallel: 2 }`;
  const all = items.map((item) => `${item}.csv`);
  const uri = 'uri: "${{ name }}.csv"';
  expect(await carried(`  table: { uses: data/ingest, ${fan}, with: { ${uri} } }\n`)).toEqual(all);
  expect(
    await carried(`  tables:
    ${fan}
    stages: { read: { uses: data/ingest, with: { ${uri} } } }
    outputs: { data: "\${{ stages.read.data }}" }
`),
  ).toEqual(all);
});

test('a file that two stages read is carried once, and counts once for what is too much', async () => {
  // Nothing is written of it, here or in the store.
  truncateSync(write('large.csv'), 600 * 2 ** 20);
  let put = 0;
  const counting = ({ artifacts, ...store }: Store): Store => ({
    ...store,
    artifacts: {
      ...artifacts,
      putBlob(blob) {
        if (blob instanceof Uint8Array) return artifacts.putBlob(blob);
        (blob as ReadStream).destroy();
        put++;
        return artifacts.putBlob(new Uint8Array());
      },
    },
  });
  const read = (id: string, uri = 'large.csv'): string => `  ${id}: { uses: data/ingest, with: { uri: ${uri} } }\n`;
  expect(await carried(read('one') + read('two'), {}, counting)).toEqual(['large.csv']);
  expect(put).toBe(1);
  truncateSync(write('more.csv'), 600 * 2 ** 20);
  await expect(carried(read('one') + read('two', 'more.csv'), {}, counting)).rejects.toThrow(
    /two: more\.csv and what else this run reads here is more than 1 GiB/,
  );
});

import { failureOf } from '@hourglass/core/testing';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { compile, type ArtifactRef } from '@hourglass/core';
import { ingest } from '@hourglass/dataset';
import { runStage } from '@hourglass/plugin-kit/testing';
import { createRunner, discoverPlugins, runPipeline } from '@hourglass/runtime';
import { afterAll, expect, test } from 'vitest';
import { exportStage } from '../index.ts';
import { run } from '../export.ts';

const folder = await mkdtemp(join(tmpdir(), 'hourglass-export-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const store = await openStore(join(folder, 'store'));
await writeFile(join(folder, 'in.csv'), 'id,x\n1,0.5\n2,\n');
const data = await ingest(store.artifacts, { uri: join(folder, 'in.csv') });
const deliver = async (options: { uri: string; [name: string]: unknown }, ref: ArtifactRef = data) =>
  (
    await runStage({
      manifest: exportStage,
      run,
      inputs: { data: ref },
      options: { ...options, uri: join(folder, options.uri) },
      context: { artifacts: store.artifacts },
    })
  ).outputs.written;
const failing = (options: { uri: string; [name: string]: unknown }, ref?: ArtifactRef) =>
  failureOf(deliver(options, ref));

test('the ending says the format, unless the option does', async () => {
  const begins = async (uri: string) => (await readFile(join(folder, uri))).subarray(0, 6).toString('latin1');
  expect(await deliver({ uri: 'a.parquet' })).toMatchObject({ format: 'parquet', rows: 2, columns: 2 });
  expect(await begins('a.parquet')).toMatch(/^PAR1/);
  expect(await deliver({ uri: 'a.feather' })).toMatchObject({ format: 'arrow' });
  expect(await begins('a.feather')).toBe('ARROW1');
  expect(await deliver({ uri: 'a.txt', format: 'csv' })).toMatchObject({ format: 'csv' });
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('id,x\n1,0.5\n2,\n');
  expect(await failing({ uri: 'a.xlsx' })).toMatch(
    /^OPTION_INVALID data\/export: uri: expected a name that ends in .parquet, .csv, .arrow or .feather/,
  );
  expect(await failing({ uri: 'a.csv', codec: 'parquetjs' })).toContain(
    'codec parquetjs writes Parquet, found format csv',
  );
});

test('a name that says no format is found before anything runs', () => {
  const problems = (options: Record<string, unknown>) =>
    exportStage.options.safeParse(options).error?.issues.map((issue) => issue.path.join('.'));
  for (const uri of ['x.xlsx', 'z.csv.gz', 'folder']) expect(problems({ uri })).toEqual(['uri']);
  expect(problems({ uri: 'a.PQ' })).toBeUndefined();
  expect(problems({ uri: 'a.txt', format: 'csv' })).toBeUndefined();
  expect(problems({ uri: 'folder', partitionBy: ['id'] })).toBeUndefined();
});

test('a dataset some of whose parts are missing is not delivered, unless told', async () => {
  const partial = { ...data, missing: ['north', 'south'] };
  expect(await failing({ uri: 'partial.csv' }, partial)).toBe(
    'INPUT_INVALID data/export: expected a whole dataset, found one without the parts north, south. Mend what failed, or set allowPartial: true.',
  );
  await expect(readFile(join(folder, 'partial.csv'))).rejects.toThrow('ENOENT');
  expect(await deliver({ uri: 'partial.csv', allowPartial: true }, partial)).toMatchObject({ rows: 2 });
});

test('a file that was edited or deleted is written again; one that is as it was is a hit', async () => {
  const text = `hourglass: v1
name: deliver
stages:
  read: { uses: data/ingest, with: { uri: in.csv } }
  write: { uses: data/export, with: { data: "\${{ stages.read.data }}", uri: out.csv } }
`;
  const plugins = await discoverPlugins({ from: import.meta.dirname });
  const { plan, diagnostics } = compile({ text, file: join(folder, 'deliver.yaml') }, plugins.registry);
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  const runner = createRunner({ store, plugins });
  const path = join(folder, 'out.csv');
  const caches = async () => {
    const { status, occasions } = await runPipeline({
      plan, store, runner, plugins, baseDir: folder, outDir: folder, unattended: true,
    }); // prettier-ignore
    expect(status).toBe('succeeded');
    expect(await readFile(path, 'utf8')).toBe('id,x\n1,0.5\n2,\n');
    return [occasions.read!.cache, occasions.write!.cache];
  };
  try {
    expect(await caches()).toEqual(['miss', 'miss']);
    expect(await caches()).toEqual(['hit', 'hit']);
    await appendFile(path, '3,4\n');
    expect(await caches()).toEqual(['hit', 'miss']);
    await rm(path);
    expect(await caches()).toEqual(['hit', 'miss']);
    expect(await caches()).toEqual(['hit', 'hit']);
  } finally {
    await runner.close();
  }
});

import { failureOf } from '@hourglass/core/testing';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@hourglass/artifacts';
import { expect, test } from 'vitest';
import { exportDataset, ingest, openDataset, queryDataset, type ExportOptions } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const wdbc = new URL('../../../../workflows/data/wdbc.parquet', import.meta.url).pathname;
const from = (sql: string) => queryDataset(store, { inputs: {}, sql });

test.each<[string, ExportOptions]>([
  ['parquet', { format: 'parquet' }],
  ['arrow', { format: 'arrow' }],
])('awkward types come back from %s to the same dataset', async (name, options) => {
  const data = await ingest(store, { uri: fixture('awkward.parquet') });
  const path = join(folder, `awkward.${name}`);
  expect(await exportDataset(store, data, path, options)).toMatchObject({ rows: 4, columns: 20 });
  expect((await ingest(store, { uri: path })).digest).toBe(data.digest);
});

test.each<[string, ExportOptions]>([
  ['Parquet', { format: 'parquet' }],
  ['Parquet by parquetjs', { format: 'parquet', codec: 'parquetjs' }],
  ['Arrow', { format: 'arrow' }],
  ['CSV', { format: 'csv' }],
])('a real table comes back from %s to the same dataset', async (_, options) => {
  const data = await ingest(store, { uri: wdbc });
  const path = join(folder, `wdbc.${options.format}`);
  const { bytes } = await exportDataset(store, data, path, options);
  expect((await stat(path)).size).toBe(bytes);
  expect((await ingest(store, { uri: path })).digest).toBe(data.digest);
});

test('parts follow one another, and the same dataset gives the same bytes', async () => {
  const data = await ingest(store, { uri: wdbc, partitionBy: ['diagnosis'] });
  for (const format of ['parquet', 'csv', 'arrow'] as const) {
    const path = join(folder, `parts.${format}`);
    const first = await exportDataset(store, data, path, { format });
    expect(await exportDataset(store, data, path, { format })).toEqual(first);
    const back = await openDataset(store, await ingest(store, { uri: path }));
    const { codes } = (await back.table(['diagnosis'])).columns.diagnosis as { codes: Int32Array };
    expect([...codes].sort()).toEqual([...codes]);
  }
});

test('Arrow keeps missing, NaN and zero apart in every batch of a large table', async () => {
  const data = await from(
    `SELECT CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN 'nan'::DOUBLE ELSE -0.0 END AS x,
      CASE WHEN i % 5 > 0 THEN i END AS n, CASE WHEN i % 7 > 0 THEN 'w' || i END AS w FROM range(200000) r(i)`,
  );
  const path = join(folder, 'large.arrow');
  await exportDataset(store, data, path, { format: 'arrow' });
  expect((await ingest(store, { uri: path })).digest).toBe(data.digest);
});

test('a dataset without rows is a file with columns', async () => {
  const data = await from(`SELECT 1 AS x, 'a' AS y LIMIT 0`);
  for (const [format, codec] of [['parquet'], ['arrow'], ['csv'], ['parquet', 'parquetjs']] as const) {
    const path = join(folder, `empty.${format}`);
    expect(await exportDataset(store, data, path, { format, codec })).toMatchObject({ rows: 0, columns: 2 });
    expect(await failureOf(ingest(store, { uri: path }))).toContain('holds no rows (it has the columns "x", "y")');
  }
});

test('CSV tells missing from empty, keeps every digit and refuses what has no text', async () => {
  const data = await from(
    `SELECT * FROM (VALUES (0.1::DOUBLE, '', 9007199254740993, TIMESTAMPTZ '2024-01-01 10:00:00+02', 12.50::DECIMAL(10,2)), ('nan', NULL, NULL, NULL, NULL), (1e300, 'a,"b"', -1, '1969-12-31 23:59:59.999999+00', -0.01)) t(x, "w, ☃", n, "at", d)`,
  );
  const path = join(folder, 'text.csv');
  await exportDataset(store, data, path, { format: 'csv' });
  expect((await readFile(path, 'utf8')).split('\n')).toEqual([
    'x,"w, ☃",n,at,d',
    '0.1,"",9007199254740993,2024-01-01 08:00:00+00,12.50',
    'nan,,,,',
    '1e+300,"a,""b""",-1,1969-12-31 23:59:59.999999+00,-0.01',
    '',
  ]);
  const nested = await from(`SELECT [1] AS list, {'a': 1} AS s, 'x'::BLOB AS raw, 1 AS n`);
  const message = await failureOf(exportDataset(store, nested, join(folder, 'nested.csv'), { format: 'csv' }));
  expect(message).toContain('found "list" (INTEGER[]), "s" (STRUCT(a INTEGER)), "raw" (BLOB). Exclude them');
  await exportDataset(store, nested, join(folder, 'nested.csv'), { format: 'csv', exclude: ['list', 's', 'raw'] });
  expect(await readFile(join(folder, 'nested.csv'), 'utf8')).toBe('n\n1\n');
});

test('columns are chosen by name and order', async () => {
  const data = await from('SELECT 1 AS a, 2 AS b, 3 AS c');
  for (const [format, codec] of [['parquet'], ['arrow'], ['csv'], ['parquet', 'parquetjs']] as const) {
    const path = join(folder, `some.${format}`);
    await exportDataset(store, data, path, { format, codec, columns: ['c', 'a', 'b'], exclude: ['b'] });
    const back = await openDataset(store, await ingest(store, { uri: path }));
    expect(back.columns.map(({ name }) => name)).toEqual(['c', 'a']);
  }
  const message = await failureOf(exportDataset(store, data, 'x.csv', { format: 'csv', exclude: ['aa'] }));
  expect(message).toContain('no column "aa" (did you mean "a"?)');
});

test('a failed export leaves what was there, and nothing beside it', async () => {
  const place = join(folder, 'keep');
  await mkdir(place);
  await writeFile(join(place, 'out.csv'), 'before');
  const data = await from(`SELECT [1] AS list`);
  await failureOf(exportDataset(store, data, join(place, 'out.csv'), { format: 'csv' }));
  expect(await readdir(place)).toEqual(['out.csv']);
  expect(await readFile(join(place, 'out.csv'), 'utf8')).toBe('before');
});

test('what a killed process left is removed, what a living one writes is not', async () => {
  const place = join(folder, 'left');
  await mkdir(place);
  const [dead, alive] = ['.out.csv.999999999.0a1b2c3d.part', `.out.csv.${process.pid}.0a1b2c3d.part`];
  for (const name of [dead, alive, '.other.csv.999999999.0a1b2c3d.part']) await writeFile(join(place, name), 'x');
  await exportDataset(store, await from('SELECT 1 AS x'), join(place, 'out.csv'), { format: 'csv' });
  expect((await readdir(place)).sort()).toEqual([alive, '.other.csv.999999999.0a1b2c3d.part', 'out.csv'].sort());
});

test('destinations that cannot be written are named', async () => {
  const data = await from('SELECT 1 AS x');
  await mkdir(join(folder, 'a-folder'));
  await writeFile(join(folder, 'a-file'), '');
  expect(await failureOf(exportDataset(store, data, join(folder, 'a-folder'), { format: 'csv' }))).toMatch(
    /^SINK_UNWRITABLE .*a-folder: expected a file to write, found a folder/,
  );
  for (const format of ['parquet', 'csv', 'arrow'] as const)
    expect(await failureOf(exportDataset(store, data, join(folder, 'a-file/x'), { format }))).toMatch(
      /^SINK_UNWRITABLE .*a-file\/x: cannot be written \((?:EEXIST|ENOTDIR).*Check the path and its permissions, then run again/,
    );
});

test('a disk that has no room is named, keeps the file of before and holds no half of the new one', async () => {
  const place = join(folder, 'full');
  const location = join(folder, 'full-store');
  await mkdir(place);
  const { artifacts } = await openStore(location);
  const sql = 'SELECT hash(i) AS x, hash(-i) AS y, i // 50000 AS part FROM range(100000) r(i)';
  const data = await queryDataset(artifacts, { inputs: {}, sql });
  const source = join(folder, 'large.csv');
  await exportDataset(artifacts, data, source, { format: 'csv' });
  for (const format of ['parquet', 'csv', 'arrow']) await writeFile(join(place, `out.${format}`), 'before');
  const blobs = async () => (await readdir(location, { recursive: true })).filter((name) => /blobs.*\w{64}/.test(name));
  const before = await blobs();
  const script = fileURLToPath(new URL('./support/export-under-limit.ts', import.meta.url));
  // A largest size of files is a limit that every process may set; the kernel then refuses to write as it does when full.
  const output = execFileSync(
    'bash',
    [
      '-c',
      'ulimit -f 64 && exec "$@"',
      'bash',
      ...[process.execPath, '--import', 'tsx', '--conditions=@hourglass/source', script],
      ...[location, JSON.stringify(data), place, source],
    ],
    { encoding: 'utf8', env: { ...process.env, TSX_DISABLE_CACHE: '1' } },
  );
  const found = JSON.parse(output.trimEnd().split('\n').at(-1)!) as Record<string, string>;
  for (const [name, message] of Object.entries(found)) expect(message, name).toMatch(/^DISK_FULL /);
  for (const name of ['parquet', 'csv', 'arrow', 'parquet parquetjs'])
    expect(found[name]).toMatch(/out\.\w+: cannot be written \(.*Free some room, then run again/);
  for (const format of ['parquet', 'csv', 'arrow'])
    expect(await readFile(join(place, `out.${format}`), 'utf8')).toBe('before');
  const left = (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory());
  expect(left.map(({ name }) => name).sort()).toEqual(['out.arrow', 'out.csv', 'out.parquet']);
  expect([await blobs(), await readdir(join(location, 'tmp'))]).toEqual([before, []]);
});

import { failureOf } from '@hourglass/core/testing';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore, readCommit } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import { beforeEach, expect, test } from 'vitest';
import { exportPartitions, ingest, openDataset, queryDataset } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const made = (sql: string) => queryDataset(store, { inputs: {}, sql });
/** Rows of some days: the sum of x tells which version of a day is read. */
const days = (from: number, to: number, x: number) =>
  made(
    `SELECT i AS id, DATE '2024-01-01' + d::INTEGER AS day, ${x}::DECIMAL(9,2) AS x, CASE WHEN i % 3 = 0 THEN NULL ELSE 'r' || i % 2 END AS region FROM range(${from}, ${to}) d(d), range(6) r(i)`,
  );
let at = '';
let count = 0;
beforeEach(() => {
  at = join(folder, `out-${count++}`);
});
const partitionBy = ['day'];
const deliver = (ref: ArtifactRef, more: Record<string, unknown> = {}) =>
  exportPartitions(store, ref, at, { partitionBy, ...more });
/** What is read of the folder: `day x` of every day. */
async function read(): Promise<string[]> {
  const data = await ingest(store, { uri: at });
  const sums = await queryDataset(store, {
    inputs: { data },
    sql: 'SELECT day::VARCHAR AS day, min(x)::VARCHAR AS low, max(x)::VARCHAR AS high, count(*) AS n FROM data GROUP BY day ORDER BY day',
  });
  return [...(await (await openDataset(store, sums)).arrow())].map((row) =>
    Object.values(row!.toJSON()).map(String).join(' '),
  );
}
const filesIn = async () =>
  (await readdir(at, { recursive: true })).filter((name) => /\.(parquet|pending|part)/.test(name)).sort();

test('what is exported by partition comes back as it was: columns in their order, types, values, missing partitions', async () => {
  const data = await made(
    `SELECT i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE ['ä/b=c', '50 %', '007', '*'][1 + i % 4] END AS "Größe", i % 2 = 0 AS even,
       (i / 7)::FLOAT AS x, (1000 + i % 2)::SMALLINT AS small, DATE '2024-02-29' AS day FROM range(40) r(i)`,
  );
  const written = await deliver(data, { partitionBy: ['Größe', 'even', 'small', 'day'] });
  expect(written).toMatchObject({ rows: 40, columns: 6, unchanged: 0 });
  const back = await ingest(store, { uri: at });
  const [before, after] = [await openDataset(store, data), await openDataset(store, back)];
  expect(after.columns).toEqual(before.columns);
  const same = await queryDataset(store, {
    inputs: { a: data, b: back },
    sql: 'SELECT (SELECT count(*) FROM (SELECT * FROM a EXCEPT ALL SELECT * FROM b)) AS x, (SELECT count(*) FROM b) AS n',
  });
  expect([...(await (await openDataset(store, same)).arrow())].map(String)).toEqual(['{"x": 0, "n": 40}']);
  expect(written.partitions).toBe((await filesIn()).length);
});

test('append puts days in, replaces those that are there, and leaves the others untouched', async () => {
  await deliver(await days(0, 3, 1));
  const before = await filesIn();
  expect(await deliver(await days(2, 4, 2), { mode: 'append' })).toMatchObject({
    partitions: 2,
    unchanged: 0,
    rows: 12,
  });
  expect(await read()).toEqual([
    '2024-01-01 1.00 1.00 6',
    '2024-01-02 1.00 1.00 6',
    '2024-01-03 2.00 2.00 6',
    '2024-01-04 2.00 2.00 6',
  ]);
  const after = await filesIn();
  expect(after.filter((file) => before.includes(file))).toHaveLength(2);
  // The same day once more changes nothing, not even a name.
  expect(await deliver(await days(2, 4, 2), { mode: 'append' })).toMatchObject({ partitions: 2, unchanged: 2 });
  expect(await filesIn()).toEqual(after);
  await deliver(await days(9, 10, 5));
  expect(await read()).toEqual(['2024-01-10 5.00 5.00 6']);
  expect(await filesIn()).toHaveLength(1);
});

test('a writer that fails on the way leaves the old state, also for readers that know no manifest', async () => {
  const regions = (x: number, last: string) =>
    made(`SELECT r AS region, ${x} AS x FROM (VALUES ('a'), ('b'), (${last})) t(r)`);
  await deliver(await regions(1, `'z'`), { partitionBy: ['region'] });
  const [files, before] = [await filesIn(), await readCommit(at)];
  // The third partition cannot be written; the first two are there by then.
  const broken = await regions(2, `repeat('z', 300)`);
  for (const mode of ['replace', 'append'])
    expect(await failureOf(deliver(broken, { partitionBy: ['region'], mode }))).toMatch(/^COLUMN_INVALID .*too long/);
  expect(await filesIn()).toEqual(files);
  expect(await readCommit(at)).toEqual(before);
});

test('files of a writer that was killed are read by nobody, and go once they are old', async () => {
  await deliver(await days(0, 2, 1));
  // What a kill between the files and the manifest leaves: a visible file, and one that was not finished.
  const [one] = await filesIn();
  const orphan = join(at, 'day=2024-01-01', 'deadbeef.parquet');
  await writeFile(orphan, await readFile(join(at, one!)));
  const pending = join(at, 'day=2024-01-02', '.deadbeef.pending');
  await writeFile(pending, 'half');
  expect(await read()).toEqual(['2024-01-01 1.00 1.00 6', '2024-01-02 1.00 1.00 6']);
  await deliver(await days(0, 2, 2));
  expect(existsSync(orphan)).toBe(true); // another writer's, for all we know
  for (const path of [orphan, pending]) await utimes(path, new Date(0), new Date(0));
  await deliver(await days(0, 2, 3), { mode: 'append' });
  expect([existsSync(orphan), existsSync(pending)]).toEqual([false, false]);
  expect(await read()).toEqual(['2024-01-01 3.00 3.00 6', '2024-01-02 3.00 3.00 6']);
});

test('writers at once lose nothing of one another, and a reader meanwhile never sees two versions of a day', async () => {
  await deliver(await days(0, 2, 1));
  const versions = await Promise.all([2, 3, 4, 5].map((x) => days(0, 2, x)));
  const others = await Promise.all([10, 20, 30].map((day) => days(day, day + 1, 7)));
  let writing = true;
  const reading = (async () => {
    while (writing) {
      const { files } = (await readCommit(at))!;
      // A day has one file in a commit: that of the old version or that of the new one.
      expect(new Set(files.map(({ partition }) => partition[0])).size).toBe(files.length);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const writers = [...versions, ...others].map((ref) => deliver(ref, { mode: 'append' }));
  await Promise.all(writers).finally(() => (writing = false));
  await reading;
  const found = await read();
  expect(found).toHaveLength(5);
  expect(found.slice(2).map((row) => row.split(' ')[1])).toEqual(['7.00', '7.00', '7.00']);
  const [first, second] = found.map((row) => row.split(' ')[1]);
  expect(first).toBe(second); // both days are those of the last writer
  expect(await filesIn()).toHaveLength(5);
});

test('the digest of the folder tells whether it still is what was written', async () => {
  const whole = await openStore(join(folder, 'digests'));
  expect(await whole.digestOfDestination(at)).toBeUndefined();
  await deliver(await days(0, 2, 1));
  const digest = await whole.digestOfDestination(at);
  await deliver(await days(0, 2, 1));
  expect(await whole.digestOfDestination(at)).toBe(digest);
  const [file] = await filesIn();
  await writeFile(join(at, file!), 'edited');
  expect(await whole.digestOfDestination(at)).not.toBe(digest);
  await rm(join(at, file!));
  expect(await whole.digestOfDestination(at)).toBeUndefined();
  expect(await failureOf(ingest(store, { uri: at }))).toMatch(
    /^SOURCE_NOT_FOUND Source ".*": expected the file day=2024-01-01\/\w+\.parquet that the folder's manifest names, found none\. Export the folder again\.$/,
  );
  expect(await deliver(await days(0, 2, 1))).toMatchObject({ partitions: 2, unchanged: 1 });
  expect(await read()).toHaveLength(2);
});

test('append of other columns, and folders that are not ours, are refused by name', async () => {
  await deliver(await days(0, 1, 1));
  const other = await made(`SELECT 1::BIGINT AS id, DATE '2024-01-05' AS day, 1.5::DOUBLE AS x, 'a' AS town`);
  expect(await failureOf(deliver(other, { mode: 'append' }))).toMatch(
    /^SCHEMA_MISMATCH .*: cannot be appended to: it has "region" besides; it lacks "town"; "x" is DECIMAL\(9,2\) there and DOUBLE here\. Make the columns equal/,
  );
  expect(await failureOf(deliver(await days(0, 1, 1), { mode: 'append', partitionBy: ['region', 'day'] }))).toContain(
    'it is partitioned by "day", not "region", "day"',
  );
  expect(await read()).toHaveLength(1);
  at = join(folder, 'foreign');
  await mkdir(at);
  await writeFile(join(at, 'notes.txt'), 'mine');
  expect(await failureOf(deliver(other))).toMatch(/^SINK_UNWRITABLE .*holds notes\.txt, which Hourglass did not write/);
  at = join(at, 'notes.txt');
  expect(await failureOf(deliver(other))).toMatch(/^SINK_UNWRITABLE .*expected a folder, found a file/);
  expect((await stat(at)).size).toBe(4);
});

test('columns that cannot name folders are refused by name', async () => {
  const data = await made(`SELECT 1.5::DOUBLE AS f, '' AS empty, repeat('é', 90) AS long, 1 AS id`);
  for (const [columns, message] of [
    [['f'], /^COLUMN_INVALID .*expected text, whole numbers, booleans or dates to partition by, found "f" \(DOUBLE\)/],
    [['empty'], /^COLUMN_INVALID .*column "empty" holds the empty text/],
    [['long'], /^COLUMN_INVALID .*too long for the name of a folder/],
    [['nope'], /^COLUMN_NOT_FOUND .*option partitionBy: no column "nope"/],
    [['id', 'id'], /^OPTION_INVALID .*names "id" twice/],
  ] as const)
    expect(await failureOf(deliver(data, { partitionBy: columns }))).toMatch(message);
  expect(await failureOf(deliver(data, { partitionBy: ['id'], columns: ['id'] }))).toContain('names every column');
  expect(existsSync(at) ? await filesIn() : []).toEqual([]);
});

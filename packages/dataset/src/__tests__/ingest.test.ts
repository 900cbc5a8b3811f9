import { failureOf } from '@hourglass/core/testing';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ingest, openDataset, type IngestOptions } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const read = async (options: IngestOptions) => openDataset(store, await ingest(store, options));
const numbersOf = async (options: IngestOptions, column: string): Promise<number[]> => {
  const data = (await (await read(options)).table([column])).columns[column]!;
  return data.kind === 'numeric' ? [...data.values] : [];
};
const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

const wdbc = new URL('../../../../workflows/data/wdbc.parquet', import.meta.url).pathname;

test('the same file gives the same digest, and every cell of a real table comes through', async () => {
  const ref = await ingest(store, { uri: wdbc });
  expect(await ingest(store, { uri: wdbc })).toEqual(ref);
  expect(ref).toMatchObject({ kind: 'dataset', rows: 569 });
  const data = await openDataset(store, ref);
  const radius = (await data.table(['mean_radius'])).columns.mean_radius as { values: Float64Array };
  expect([...radius.values.subarray(0, 3)]).toEqual([17.99, 20.57, 19.69]);
  expect(radius.values.reduce((sum, x) => sum + x, 0) / 569).toBeCloseTo(14.127291739894552, 10);
});

test('awkward types written by pyarrow come through exactly', async () => {
  const data = await read({ uri: fixture('awkward.parquet') });
  const rows = (await data.arrow(data.columns.map((c) => c.name).filter((name) => name !== 'map'))).toArray();
  expect(rows.map((row) => row.id)).toEqual([9007199254740993n, null, -9223372036854775808n, 5n]);
  expect(rows.map((row) => row.u64)).toEqual([18446744073709551615n, 0n, null, 1n]);
  expect(rows.map((row) => row.price && String(row.price))).toEqual([
    '12345678901234567890123456789123456789',
    '-1',
    null,
    '0',
  ]);
  expect(rows.map((row) => row['Größe ☃ "x"'])).toEqual([1.5, NaN, null, -Infinity]);
  expect(Object.is(rows[2]!.f32, -0)).toBe(true);
  expect(rows.map((row) => row.word)).toEqual(['', null, 'naïve\n"quote",\t', '日本語']);
  expect(rows.map((row) => row.raw && [...row.raw])).toEqual([[0, 255], null, [], [97, 98, 99]]);
  expect(rows.map((row) => row.list && [...row.list])).toEqual([[1, null, 3], null, [], [4]]);
  expect(rows[0]!.nested.toJSON().a).toBe(1n);
  const { ns, naive, day, clock } = (await data.table()).columns as Record<string, any>;
  expect([...naive.values]).toEqual([-0.001, Date.UTC(2024, 1, 29), NaN, Date.UTC(9999, 11, 31)]);
  expect(ns.values[3]).toBeCloseTo(1700000000123.4567, 3);
  expect(day.values[0]).toBe(-62135596800000);
  expect(clock.values[2]).toBe(86399999.999);
  expect(data.columns.find((c) => c.name === 'price')).toEqual({
    name: 'price',
    type: 'decimal',
    physical: 'DECIMAL(38,9)',
  });
});

test('a folder and a glob are read in the order of the names', async () => {
  for (const [name, x] of [
    ['b', 2],
    ['a', 1],
    ['c', 3],
  ])
    await file(`many/${name}.csv`, `x,y\n${x},p\n${Number(x) * 10},q\n`);
  await file('many/_SUCCESS', '');
  expect(await numbersOf({ uri: join(folder, 'many') }, 'x')).toEqual([1, 10, 2, 20, 3, 30]);
  expect(await numbersOf({ uri: join(folder, 'many/[bc]*.csv') }, 'x')).toEqual([2, 20, 3, 30]);
});

test('columns, exclude and where choose; text in a condition is quoted', async () => {
  const data = await read({
    uri: wdbc,
    columns: ['diagnosis', 'mean_area', 'mean_radius'],
    exclude: ['mean_area'],
    where: `diagnosis = 'malignant' AND mean_radius > 20`,
  });
  expect(data.columns.map((c) => c.name)).toEqual(['diagnosis', 'mean_radius']);
  const { diagnosis, mean_radius: radius } = (await data.table()).columns as Record<string, any>;
  expect(diagnosis.categories).toEqual(['malignant']);
  expect(Math.min(...radius.values)).toBeGreaterThan(20);
});

test('a sample is decided by the seed, keeps the order and has the rows asked for', async () => {
  const sample = (seed: number, by: IngestOptions['sample']) =>
    numbersOf({ uri: wdbc, sample: by, seed, columns: ['mean_radius'] }, 'mean_radius');
  const all = await numbersOf({ uri: wdbc, columns: ['mean_radius'] }, 'mean_radius');
  const hundred = await sample(1, { rows: 100 });
  expect(hundred).toHaveLength(100);
  let at = -1;
  for (const x of hundred) expect((at = all.indexOf(x, at + 1))).toBeGreaterThan(-1);
  expect(await sample(1, { rows: 100 })).toEqual(hundred);
  expect(await sample(2, { rows: 100 })).not.toEqual(hundred);
  const share = await sample(3, { fraction: 0.5 });
  expect(Math.abs(share.length - 284)).toBeLessThan(50);
  expect(await sample(1, { rows: 10_000 })).toEqual(all);
});

test('partitions are parts in ascending order with their rows in the order of the file', async () => {
  const path = await file(
    'orders.csv',
    'day,shop,n\n2024-01-02,b,1\n2024-01-01,a,2\n2024-01-02,a,3\n,a,4\n2024-01-01,a,5\n',
  );
  const data = await read({ uri: path, partitionBy: ['day'] });
  expect(data.parts.map((p) => [p.key, p.rows])).toEqual([
    ['2024-01-01', 2],
    ['2024-01-02', 2],
    ['__HIVE_DEFAULT_PARTITION__', 1],
  ]);
  expect(data.partitionBy).toEqual(['day']);
  expect([...((await data.table(['n'])).columns.n as any).values]).toEqual([2, 5, 1, 3, 4]);
  const two = await read({ uri: path, partitionBy: ['shop', 'day'] });
  expect(two.parts.map((p) => p.key)).toEqual([
    'a/2024-01-01',
    'a/2024-01-02',
    'a/__HIVE_DEFAULT_PARTITION__',
    'b/2024-01-02',
  ]);
});

test('parts keep every column, whatever the rows are numbered by on the way', async () => {
  const path = await file('named.csv', 'day,_row,row,file_row_number\nb,7,x,1\na,8,y,2\nb,9,z,3\n');
  const data = await read({ uri: path, partitionBy: ['day'] });
  expect(data.columns.map(({ name }) => name)).toEqual(['day', '_row', 'row', 'file_row_number']);
  const columns = (await data.table(['_row', 'file_row_number'])).columns as any;
  expect([...columns._row.values]).toEqual([8, 7, 9]);
  expect([...columns.file_row_number.values]).toEqual([2, 1, 3]);
});

test('CSV keeps leading zeros, integers beyond double and quoted text', async () => {
  const path = await file(
    'ids.csv',
    'zip,big,mixed,note,when\n007,12345678901234567890,1,"a, ""b""\nc",2024-01-01\n123,2,2.5,,2024-02-01\n',
  );
  const data = await read({ uri: path });
  expect(data.columns.map((c) => [c.type, c.physical])).toEqual([
    ['string', 'VARCHAR'],
    ['decimal', 'DECIMAL(38,0)'],
    ['float', 'DOUBLE'],
    ['string', 'VARCHAR'],
    ['date', 'DATE'],
  ]);
  const { zip, big, note } = (await data.table()).columns as Record<string, any>;
  expect(zip.categories).toEqual(['007', '123']);
  expect(big.categories).toContain('12345678901234567890');
  expect([...note.codes]).toEqual([0, -1]);
  expect(note.categories).toEqual(['a, "b"\nc']);
  const semicolons = await file('semi.csv', 'a;b\n1;NA\n2;3\n');
  const other = await read({ uri: semicolons, csv: { missing: ['NA'], types: { a: 'DOUBLE' } } });
  expect(other.columns.map((c) => c.physical)).toEqual(['DOUBLE', 'BIGINT']);
});

test('a source is read as bytes of a path, not as a pattern', async () => {
  const path = join(folder, 'od[d] na*me?.parquet');
  await copyFile(wdbc, path);
  expect((await read({ uri: path })).rows).toBe(569);
});

const broken = (options: IngestOptions) => failureOf(ingest(store, options));

test('a missing file offers near names', async () => {
  await file('measures.csv', 'x\n1\n');
  expect(await broken({ uri: join(folder, 'mesures.csv') })).toMatch(/^SOURCE_NOT_FOUND .*Did you mean "measures.csv"/);
});

test('files that are not what they claim are named with the reason', async () => {
  expect(await broken({ uri: await file('zero.parquet', '') })).toContain('zero.parquet: the file is empty (0 bytes)');
  expect(await broken({ uri: await file('zero.csv', '') })).toContain('zero.csv: the file is empty (0 bytes)');
  expect(await broken({ uri: await file('text.parquet', 'id,name\n1,a\n') })).toContain(
    'expected a Parquet file (it begins with PAR1), found one that begins with "id,name·" (text, perhaps CSV)',
  );
  const whole = await readFile(wdbc);
  expect(await broken({ uri: await file('cut.parquet', whole.subarray(0, 5000)) })).toContain(
    'cut.parquet: the Parquet file is cut short: its 5000 bytes begin as Parquet but end without the footer',
  );
  const hole = Buffer.from(whole);
  hole.fill(7, 2000, 20_000);
  expect(await broken({ uri: await file('hole.parquet', hole) })).toMatch(
    /^SOURCE_INVALID Source .*hole.parquet: the file is damaged/,
  );
  expect(await broken({ uri: await file('notes.md', 'x') })).toContain('expected a file called *.parquet, *.csv');
  expect(await broken({ uri: await file('really.csv', whole) })).toContain('found a file that begins with "PAR1');
  expect(await broken({ uri: await file('ragged.csv', 'a,b\n1,2\n1,2,3,4\n5\n"x\n') })).toMatch(
    /^SOURCE_INVALID Source .*ragged.csv/,
  );
});

test('a source without rows, before or after the filter, is refused', async () => {
  expect(await broken({ uri: fixture('no-rows.parquet') })).toContain('holds no rows (it has the columns "x")');
  expect(await broken({ uri: await file('header.csv', 'a,b\n') })).toContain('holds no rows');
  expect(await broken({ uri: wdbc, where: 'mean_radius < 0' })).toContain(
    'none of its 569 rows is left after where (mean_radius < 0)',
  );
});

test('names that are absent, repeated or differ only in case are refused by name', async () => {
  expect(await broken({ uri: wdbc, exclude: ['diagnose'], columns: ['Mean_Radius'] })).toMatch(
    /COLUMN_NOT_FOUND .*no column "Mean_Radius" \(did you mean "mean_radius".*"diagnose" \(did you mean "diagnosis"/,
  );
  expect(await broken({ uri: wdbc, partitionBy: ['nosis'] })).toContain('Option partitionBy: no column "nosis"');
  expect(await broken({ uri: wdbc, exclude: ['diagnosis'], partitionBy: ['diagnosis'] })).toContain(
    'no column "diagnosis"',
  );
  expect(await broken({ uri: fixture('case-twins.parquet') })).toContain(
    'the columns "A" and "a" differ only in upper and lower case',
  );
  expect(await broken({ uri: fixture('duplicate-names.parquet') })).toContain('two columns are called "x"');
  expect(await broken({ uri: await file('twice.csv', 'a,b,a\n1,2,3\n') })).toContain('two columns are called "a"');
  const kept = await read({ uri: fixture('case-twins.parquet'), exclude: ['A'] });
  expect(kept.columns.map((c) => c.name)).toEqual(['a', 'b']);
  expect(await numbersOf({ uri: fixture('case-twins.parquet'), exclude: ['A'] }, 'a')).toEqual([2]);
  expect(await broken({ uri: wdbc, columns: ['diagnosis'], exclude: ['diagnosis'] })).toContain('no column is left');
});

test('a condition that is wrong, reaches elsewhere or changes with the moment is refused', async () => {
  expect(await broken({ uri: wdbc, where: 'mean_radus > 1' })).toMatch(
    /COLUMN_NOT_FOUND Option where .*no column "mean_radus". Did you mean "mean_radius"/,
  );
  expect(await broken({ uri: wdbc, where: 'mean_radius >' })).toMatch(/OPTION_INVALID Option where/);
  expect(await broken({ uri: wdbc, where: `mean_radius > (SELECT 1 FROM read_csv('x.csv'))` })).toContain(
    'a subquery would read other data',
  );
  expect(await broken({ uri: wdbc, where: 'random() < 0.5' })).toContain('random() gives another result each time');
  expect(await broken({ uri: wdbc, where: '1 = 1); DROP TABLE x; --' })).toMatch(/OPTION_INVALID/);
  expect(await broken({ uri: wdbc, where: `diagnosis + 1 = 2` })).toMatch(/_INVALID/);
});

test('files whose columns differ are named', async () => {
  await file('differ/1.csv', 'a,b\n1,2\n');
  await file('differ/2.csv', 'a,c\n1,x\n');
  expect(await broken({ uri: join(folder, 'differ') })).toMatch(
    /SCHEMA_MISMATCH Source .*2.csv: expected the columns of 1.csv, but the file lacks "b"; has "c" besides/,
  );
  await file('differ/2.csv', 'b,a\n1,x\n');
  expect(await broken({ uri: join(folder, 'differ') })).toContain('has "a" as VARCHAR instead of BIGINT');
  await copyFile(wdbc, join(folder, 'differ/3.parquet'));
  expect(await broken({ uri: join(folder, 'differ') })).toContain('expected files of one format');
});

test('dates and times without a zone mean what they say, and names may be in any script', async () => {
  // In much of Europe this moment does not exist: clocks go from two to three.
  const uri = await file('zoneless.csv', 'größe,когда,☃ name\n1,2024-03-31 02:30:00,2024-02-29\n2,,\n');
  const reader = await openDataset(store, await ingest(store, { uri }));
  expect(reader.columns.map(({ name, physical }) => [name, physical])).toEqual([
    ['größe', 'BIGINT'],
    ['когда', 'TIMESTAMP'],
    ['☃ name', 'DATE'],
  ]);
  const { columns } = await reader.table();
  expect([...(columns['когда'] as any).values]).toEqual([Date.UTC(2024, 2, 31, 2, 30), NaN]);
  expect([...(columns['☃ name'] as any).values]).toEqual([Date.UTC(2024, 1, 29), NaN]);
  expect(await broken({ uri, columns: ['когда-то'] })).toContain('no column "когда-то"');
});

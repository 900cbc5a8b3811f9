import { failureOf } from '@hourglass/core/testing';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { ingest, openDataset, type IngestOptions } from '../index.ts';
import { widen } from '../unify.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const fixture = (name: string): string => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const read = async (options: IngestOptions) => openDataset(store, await ingest(store, options));
const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const broken = (options: IngestOptions) => failureOf(ingest(store, options));
const values = async (options: IngestOptions, name: string): Promise<(number | string | null)[]> => {
  const column = (await (await read(options)).table([name])).columns[name]!;
  return column.kind === 'numeric'
    ? [...column.values]
    : [...column.codes].map((code) => (code < 0 ? null : column.categories[code]!));
};

test('Arrow IPC gives the same dataset as the Parquet of the same table', async () => {
  const columns = (await read({ uri: fixture('awkward.parquet'), exclude: ['map'] })).columns.map((c) => c.name);
  const arrow = await ingest(store, { uri: fixture('awkward.arrow'), columns });
  const parquet = await ingest(store, { uri: fixture('awkward.parquet'), columns });
  const [a, p] = [await openDataset(store, arrow), await openDataset(store, parquet)];
  expect(a.columns).toEqual(p.columns);
  expect(String(await a.arrow())).toBe(String(await p.arrow()));
  expect(arrow.digest).toBe(parquet.digest);
});

test('Feather with dictionaries and LZ4 is read', async () => {
  expect(await values({ uri: fixture('dictionary-lz4.feather') }, 's')).toEqual(['a', 'b', 'a', null]);
  expect(await values({ uri: fixture('dictionary-lz4.feather') }, 'x')).toEqual([1.5, NaN, 2, 3]);
});

test('an Arrow file of many batches keeps its order', async () => {
  const n = 300_000;
  const table = tableFromArrays({
    i: Int32Array.from({ length: n }, (_, i) => i),
    x: Float64Array.from({ length: n }, (_, i) => i / 7),
  });
  const data = await read({ uri: await file('large.arrow', tableToIPC(table, 'file')) });
  expect(data.rows).toBe(n);
  const { data: matrix } = await data.matrix(['i'], { offset: 262_000, limit: 1000 });
  expect(matrix[0]).toBe(262_000);
  expect(matrix[999]).toBe(262_999);
});

test('JSON lines keep what numbers, zones and mixed values say', async () => {
  const uri = await file(
    'events.jsonl',
    [
      '{"id": 9007199254740993, "big": 12345678901234567890123, "x": 1.5, "day": "2024-02-29", "zip": "007", "at": "2024-01-01T10:00:00Z", "local": "2024-01-01T10:00:00"}',
      '{"id": 2, "x": 2, "at": "2024-01-01T08:00:00Z", "zoned?": "2024-01-01T10:00:00Z", "n": {"a": [1, 2]}, "mixed": 1}',
      '{"id": 3, "zoned?": "2024-01-01T10:00:00", "mixed": "a"}',
    ].join('\n'),
  );
  const data = await read({ uri });
  expect(Object.fromEntries(data.columns.map((c) => [c.name, c.physical]))).toEqual({
    id: 'BIGINT', big: 'DECIMAL(38,0)', x: 'DOUBLE', day: 'DATE', zip: 'VARCHAR', at: 'TIMESTAMP WITH TIME ZONE', local: 'TIMESTAMP', 'zoned?': 'VARCHAR', n: 'STRUCT(a BIGINT[])', mixed: 'JSON',
  }); // prettier-ignore
  expect(await values({ uri }, 'big')).toEqual(['12345678901234567890123', null, null]);
  expect(await values({ uri }, 'at')).toEqual([Date.UTC(2024, 0, 1, 10), Date.UTC(2024, 0, 1, 8), NaN]);
});

test('mistakes in JSON lines and Arrow files are named', async () => {
  expect(await broken({ uri: await file('bad.jsonl', '{"id": 1}\n{"id":\n') })).toMatch(
    /SOURCE_INVALID Source .*bad.jsonl: cannot be read as JSON lines \(.*[Mm]alformed JSON/,
  );
  expect(await broken({ uri: await file('twins.jsonl', '{"id": 1, "ID": 2}\n') })).toContain(
    'the columns "ID" and "id" differ only in upper and lower case',
  );
  expect(await broken({ uri: await file('empty.jsonl', '{}\n') })).toContain('SOURCE_EMPTY');
  expect(await broken({ uri: await file('no.arrow', 'hello world') })).toContain(
    'expected an Arrow IPC file (it begins with ARROW1), found one that begins with "hello wo"',
  );
  const whole = tableToIPC(tableFromArrays({ x: new Float64Array(1000) }), 'file');
  expect(await broken({ uri: await file('cut.arrow', whole.subarray(0, 3000)) })).toMatch(
    /SOURCE_INVALID Source .*cut.arrow/,
  );
});

test('folders called name=value become columns; text that a number would not print stays text', async () => {
  for (const [year, month, x] of [
    ['2023', '01', 1],
    ['2023', '12', 2],
    ['2024', '01', 3],
  ])
    await file(`hive/year=${year}/month=${month}/data.csv`, `x,town\n${x},a\n`);
  await file('hive/year=__HIVE_DEFAULT_PARTITION__/month=A%20b/data.csv', 'x,town\n4,b\n');
  const data = await read({ uri: join(folder, 'hive'), partitionBy: ['year'] });
  expect(data.columns.map((c) => [c.name, c.physical])).toEqual([
    ['x', 'BIGINT'],
    ['town', 'VARCHAR'],
    ['year', 'BIGINT'],
    ['month', 'VARCHAR'],
  ]);
  expect(data.parts.map((p) => p.key)).toEqual(['2023', '2024', '__HIVE_DEFAULT_PARTITION__']);
  expect(await values({ uri: join(folder, 'hive') }, 'month')).toEqual(['01', '12', '01', 'A b']);
  expect(await values({ uri: join(folder, 'hive'), where: 'year = 2023' }, 'x')).toEqual([1, 2]);
  expect((await read({ uri: join(folder, 'hive'), hive: false })).columns.map((c) => c.name)).toEqual(['x', 'town']);
  await file('hive/other/data.csv', 'x,town\n5,b\n');
  expect(await broken({ uri: join(folder, 'hive') })).toMatch(/SCHEMA_MISMATCH .*expected folders for no partition/);
});

test('files that differ are joined by name, widened without loss, and it is said', async () => {
  await file('grow/1.csv', 'id,x\n1,2\n');
  await file('grow/2.csv', 'x,id,note\n2.5,2,a\n');
  const notices: string[] = [];
  const uri = join(folder, 'grow');
  expect(await broken({ uri })).toContain('has "note" besides');
  const options: IngestOptions = { uri, unify: 'widen', onNotice: (notice) => notices.push(notice) };
  const data = await read(options);
  expect(data.columns.map((c) => [c.name, c.physical])).toEqual([
    ['id', 'BIGINT'],
    ['x', 'DOUBLE'],
    ['note', 'VARCHAR'],
  ]);
  expect(await values(options, 'note')).toEqual([null, 'a']);
  expect(notices.slice(0, 2)).toEqual([
    '"x" becomes DOUBLE: it is DOUBLE in 2.csv, BIGINT before',
    '"note" is missing in 1.csv and comes with 2.csv',
  ]);
  expect(await values(options, 'x')).toEqual([2, 2.5]);
  await file('grow/1.csv', 'id,x\n1,9007199254740993\n');
  expect(await broken(options)).toMatch(
    /SCHEMA_MISMATCH Source .*1.csv: "x" holds 9007199254740993, which the DOUBLE of other files/,
  );
  await file('grow/1.csv', 'id,x\n1,word\n');
  expect(await broken(options)).toContain('"x" is DOUBLE here and VARCHAR in 1.csv, and no type holds both exactly');
});

test.each([
  ['INTEGER', 'BIGINT', 'BIGINT'],
  ['UINTEGER', 'INTEGER', 'BIGINT'],
  ['UBIGINT', 'BIGINT', 'HUGEINT'],
  ['INTEGER', 'DOUBLE', 'DOUBLE'],
  ['BIGINT', 'DOUBLE', 'DOUBLE'],
  ['INTEGER', 'FLOAT', 'DOUBLE'],
  ['DECIMAL(10,2)', 'DECIMAL(6,4)', 'DECIMAL(12,4)'],
  ['DECIMAL(10,2)', 'INTEGER', 'DECIMAL(12,2)'],
  ['DECIMAL(38,2)', 'DECIMAL(38,4)', undefined],
  ['DATE', 'TIMESTAMP', 'TIMESTAMP'],
  ['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', undefined],
  ['VARCHAR', 'INTEGER', undefined],
])('%s and %s become %s', (a, b, wider) => {
  expect(widen(a, b)).toBe(wider);
  expect(widen(b, a)).toBe(wider);
});

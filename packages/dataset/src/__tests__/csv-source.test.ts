import { failureOf } from '@hourglass/core/testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ingest, openDataset, type CsvOptions } from '../index.ts';
import { tempStore } from './temp-store.ts';

const { store, folder } = await tempStore();
const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const cells = async (uri: string, csv: CsvOptions): Promise<Record<string, unknown[]>> => {
  const { columns } = await (await openDataset(store, await ingest(store, { uri, csv }))).table();
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      column.kind === 'numeric' ? [...column.values] : Array.from(column.codes, (code) => column.categories[code]),
    ]),
  );
};
const broken = (uri: string, csv: CsvOptions = {}) => failureOf(ingest(store, { uri, csv }));

const TOWNS = 'a,town\n0.5,Köln\n1.5,München\n';
const READ = { a: [0.5, 1.5], town: ['Köln', 'München'] };
const latin1 = await file('latin1.csv', Buffer.from(TOWNS, 'latin1'));
const utf16 = await file('utf16.csv', Buffer.from(`\uFEFF${TOWNS}`, 'utf16le'));

test('a file in another encoding than UTF-8 is read when told', async () => {
  expect(await cells(latin1, { encoding: 'latin-1' })).toEqual(READ);
  expect(await cells(utf16, { encoding: 'utf-16' })).toEqual(READ);
});

test('an encoding that is not told is named as the cause', async () => {
  expect(await broken(latin1)).toMatch(
    /^SOURCE_INVALID Source .*latin1.csv: expected a text file in UTF-8, found bytes that UTF-8 has not\. Set `csv.encoding` to latin-1/,
  );
  expect(await broken(utf16)).toMatch(/found the byte order mark of UTF-16\. Set `csv.encoding` to utf-16/);
  expect(await broken(await file('ragged.csv', 'a,b\n1,2\n1\n1,2,3\n4\n"5'))).not.toContain('encoding');
});

test('numbers with a decimal comma are numbers when told', async () => {
  const uri = await file('comma.csv', 'a;b\n1,5;2\n-2,25;3\n');
  expect(await cells(uri, {})).toMatchObject({ a: ['1,5', '-2,25'] });
  expect(await cells(uri, { decimal: ',' })).toEqual({ a: [1.5, -2.25], b: [2, 3] });
});

test('a type that is none is named', async () => {
  const uri = await file('typed.csv', 'a,b\n1,2\n3,4\n');
  expect(await broken(uri, { types: { a: 'NUMBERR' } })).toMatch(
    /^OPTION_INVALID Column "a": csv.types: expected a physical type such as .*, found "NUMBERR" \(Type with name NUMBERR does not exist!/,
  );
  expect(await cells(uri, { types: { a: 'INT4' } })).toEqual({ a: [1, 3], b: [2, 4] });
});

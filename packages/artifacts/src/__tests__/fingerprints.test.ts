import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { commitFolder } from '../folder-commits.ts';
import { openStore } from '../open-store.ts';
import { listSourceFiles } from '../source-files.ts';
import type { Store } from '../types.ts';
import { tempFolder } from './support/temp-folder.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let store: Store;
let dir: string;
const write = (name: string, text: string): void => {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), text);
};
/** As if written long ago: the stamp of a file is kept only when it has settled. */
const settle = (name: string): void => utimesSync(join(dir, name), 1_600_000_000, 1_600_000_000);
const digest = async (source: string): Promise<string> => (await store.fingerprintSource(source, dir)).digest;

beforeEach(async () => {
  store = await openStore(tempFolder());
  dir = tempFolder();
});

describe('sources', () => {
  test('a file has the sha256 of its bytes, wherever it lies', async () => {
    write('a.parquet', 'rows');
    expect(await store.fingerprintSource('a.parquet', dir)).toEqual({
      digest: sha256('rows'),
      files: [join(dir, 'a.parquet')],
      bytes: 4,
    });
    renameSync(join(dir, 'a.parquet'), join(dir, 'b.parquet'));
    expect(await digest(join(dir, 'b.parquet'))).toBe(sha256('rows'));
    expect(await digest(`file://${join(dir, 'b.parquet')}`)).toBe(sha256('rows'));
  });

  test('a folder changes with content, name or number of its files, at any depth', async () => {
    write('in/year=2024/a.parquet', '1');
    write('in/year=2025/b.parquet', '2');
    const seen = [await digest('in')];
    write('in/year=2025/b.parquet', '3');
    seen.push(await digest('in'));
    renameSync(join(dir, 'in/year=2025'), join(dir, 'in/year=2026'));
    seen.push(await digest('in'));
    write('in/c.parquet', '4');
    seen.push(await digest('in'));
    expect(new Set(seen).size).toBe(4);
    rmSync(join(dir, 'in/c.parquet'));
    expect(await digest('in')).toBe(seen[2]);
  });

  test('a folder delivered by partitions changes with the types and order of its columns', async () => {
    write('out/day=1/a.parquet', 'rows');
    const file = { path: 'day=1/a.parquet', partition: ['1'], rows: 1, bytes: 4, digest: sha256('rows') };
    const commit = async (...columns: [string, string][]): Promise<string> => {
      await commitFolder(join(dir, 'out'), async () => ({
        version: 1,
        partitionBy: ['day'],
        columns: columns.map(([name, physical]) => ({ name, physical })),
        files: [file],
      }));
      return digest('out');
    };
    const first = await commit(['day', 'BIGINT'], ['x', 'DOUBLE']);
    expect(await commit(['day', 'VARCHAR'], ['x', 'DOUBLE'])).not.toBe(first);
    expect(await commit(['x', 'DOUBLE'], ['day', 'BIGINT'])).not.toBe(first);
    expect(await commit(['day', 'BIGINT'], ['x', 'DOUBLE'])).toBe(first);
  });

  test.each([
    ['*.parquet', ['a.parquet', 'b.parquet']],
    ['?.parquet', ['a.parquet', 'b.parquet']],
    ['[ab].csv', ['a.csv']],
    ['**/*.csv', ['a.csv', 'deep/er/c.csv']],
    ['deep/**', ['deep/er/c.csv']],
    ['d*/e?/*', ['deep/er/c.csv']],
  ])('the glob %s matches just %s', async (glob, expected) => {
    for (const name of ['a.parquet', 'b.parquet', 'a.csv', 'deep/er/c.csv', 'parquet']) write(name, name);
    const { files } = await listSourceFiles(glob, dir);
    expect(files).toEqual(expected.map((name) => join(dir, name)));
  });

  test('a file whose name holds wildcards is taken literally when it exists', async () => {
    write('data[1].csv', 'literal');
    write('data1.csv', 'matching');
    expect(await digest('data[1].csv')).toBe(sha256('literal'));
  });

  test('links that turn in a circle are followed once', async () => {
    write('in/a.csv', 'x');
    symlinkSync(join(dir, 'in'), join(dir, 'in', 'again'));
    expect((await listSourceFiles('in', dir)).files).toEqual([join(dir, 'in/a.csv')]);
  });

  test('a change of content is seen although size and modification time stay', async () => {
    write('a.csv', 'one');
    settle('a.csv');
    const before = await digest('a.csv');
    write('a.csv', 'two');
    settle('a.csv');
    expect(await digest('a.csv')).not.toBe(before);
  });

  test('no stamp is kept of a file just written, which may be written again within one tick of the clock', async () => {
    for (let i = 0; i < 20; i++) {
      const text = String(i).padStart(4, '0');
      write('a.csv', text);
      expect(await digest('a.csv')).toBe(sha256(text));
    }
    expect(existsSync(join(store.location, 'stamps'))).toBe(false);
    settle('a.csv');
    await digest('a.csv');
    expect(existsSync(join(store.location, 'stamps'))).toBe(true);
  });

  test('unchanged files are not read again', async () => {
    writeFileSync(join(dir, 'big.bin'), new Uint8Array(64 << 20));
    settle('big.bin');
    const timed = async (): Promise<number> => {
      const start = performance.now();
      await digest('big.bin');
      return performance.now() - start;
    };
    const first = await timed();
    expect(Math.min(await timed(), await timed(), await timed())).toBeLessThan(first / 4);
  });
});

describe('sources that cannot be used', () => {
  test('a missing file: near names are offered', async () => {
    write('wdbc.parquet', 'x');
    write('iris.parquet', 'x');
    const found = store.fingerprintSource('wdcb.parquet', dir);
    await expect(found).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(store.fingerprintSource('wdcb.parquet', dir)).rejects.toThrow(
      /Source "wdcb.parquet".*Did you mean "wdbc.parquet"\? It holds/,
    );
  });

  test('a missing folder on the way: the first missing name is said', async () => {
    write('data/x.csv', 'x');
    await expect(digest('dta/x.csv')).rejects.toThrow(/found no "dta" in .*Did you mean "data"\?/);
    await expect(digest('dta/*.csv')).rejects.toThrow(/found no "dta" in .*Did you mean "data"\?/);
  });

  test('a path through a file', async () => {
    write('x.csv', 'x');
    await expect(digest('x.csv/y.csv')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  test('a glob that matches nothing says what there is', async () => {
    write('x.csv', 'x');
    await expect(digest('*.parquet')).rejects.toThrow(/none of the 1 files under .* matches .*It holds x.csv/);
  });

  test('an empty folder', async () => {
    mkdirSync(join(dir, 'empty'));
    await expect(digest('empty')).rejects.toThrow('holds no files');
  });

  test('a URI that is no file', async () => {
    await expect(digest('https://example.org/x.csv')).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });

  test('a message stays bounded in a folder of many files', async () => {
    for (let i = 0; i < 500; i++) write(`file-${i}.csv`, '');
    await expect(digest('nothing.parquet')).rejects.toSatisfy((error) => (error as Error).message.length < 1000);
  });
});

describe('destinations', () => {
  test('a file: the same digest until it is edited or deleted', async () => {
    write('out/x.parquet', 'rows');
    const path = join(dir, 'out/x.parquet');
    expect(await store.digestOfDestination(path)).toBe(sha256('rows'));
    writeFileSync(path, 'edit');
    expect(await store.digestOfDestination(path)).toBe(sha256('edit'));
    rmSync(path);
    expect(await store.digestOfDestination(path)).toBeUndefined();
    expect(await store.digestOfDestination(join(dir, 'nowhere/x'))).toBeUndefined();
  });

  test('a folder of parts', async () => {
    write('out/a/0.parquet', '1');
    const before = await store.digestOfDestination(join(dir, 'out'));
    write('out/b/0.parquet', '2');
    expect(await store.digestOfDestination(join(dir, 'out'))).not.toBe(before);
    rmSync(join(dir, 'out/b'), { recursive: true });
    expect(await store.digestOfDestination(join(dir, 'out'))).toBe(before);
  });
});

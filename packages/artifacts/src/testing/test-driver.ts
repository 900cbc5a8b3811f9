import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StoreDriver } from '../driver.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (found: Uint8Array | undefined): string | undefined => found && new TextDecoder().decode(found);
async function keys(driver: StoreDriver, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of driver.list(prefix)) found.push(key);
  return found.sort();
}

/** What every driver must do; a new one passes this suite before anything is built on it. */
export function testDriver(name: string, fresh: () => Promise<StoreDriver>): void {
  describe(`driver ${name}`, () => {
    test('gives back what was put, and the last put stands', async () => {
      const driver = await fresh();
      await driver.put('a/b/one', bytes('first'));
      await driver.put('a/b/one', bytes('second'));
      expect(text(await driver.read('a/b/one'))).toBe('second');
      expect(await driver.stat('a/b/one')).toMatchObject({ key: 'a/b/one', bytes: 6 });
      expect(Math.abs((await driver.stat('a/b/one'))!.modified - Date.now())).toBeLessThan(10_000);
    });

    test('what is not there is undefined, and deleting it no error', async () => {
      const driver = await fresh();
      expect(await driver.read('no/such')).toBeUndefined();
      expect(await driver.stat('no/such')).toBeUndefined();
      expect(await driver.localFile('no/such')).toBeUndefined();
      expect(await keys(driver, 'no')).toEqual([]);
      await driver.delete('no/such');
    });

    test('of many writers of one absent key exactly one wins, and its bytes stay', async () => {
      const driver = await fresh();
      const writers = Array.from({ length: 20 }, (_, i) => `writer ${i}`);
      const won = await Promise.all(writers.map((writer) => driver.putIfAbsent('names/x/1', bytes(writer))));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(text(await driver.read('names/x/1'))).toBe(writers[won.indexOf(true)]);
      expect(await driver.putIfAbsent('names/x/1', bytes('late'))).toBe(false);
    });

    test('lists a folder, not the folders whose names begin alike', async () => {
      const driver = await fresh();
      for (const key of ['a/1', 'a/b/2', 'ab/3', 'c']) await driver.put(key, bytes(key));
      expect(await keys(driver, 'a')).toEqual(['a/1', 'a/b/2']);
      expect(await keys(driver, 'a/b')).toEqual(['a/b/2']);
    });

    test('a deleted object is gone from read and list', async () => {
      const driver = await fresh();
      await driver.put('a/1', bytes('x'));
      await driver.delete('a/1');
      expect(await driver.read('a/1')).toBeUndefined();
      expect(await keys(driver, 'a')).toEqual([]);
    });

    test('takes a file in, replacing, and hands out a read-only file with the same bytes', async () => {
      const driver = await fresh();
      const path = join(driver.localFolder, 'incoming');
      await mkdir(driver.localFolder, { recursive: true });
      await driver.put('blobs/x', bytes('damaged'));
      await writeFile(path, 'from a file');
      await driver.putFile('blobs/x', path);
      await expect(stat(path)).rejects.toThrow('ENOENT');
      const local = (await driver.localFile('blobs/x'))!;
      expect(await readFile(local, 'utf8')).toBe('from a file');
      expect((await stat(local)).mode & 0o222).toBe(0);
    });

    test('an empty object is an object', async () => {
      const driver = await fresh();
      await driver.put('empty', new Uint8Array());
      expect((await driver.read('empty'))!.byteLength).toBe(0);
      expect((await driver.stat('empty'))!.bytes).toBe(0);
    });

    test('a reader beside writers sees one whole object or the other', async () => {
      const driver = await fresh();
      const versions = ['a', 'b'].map((letter) => bytes(letter.repeat(200_000)));
      await driver.put('whole', versions[0]!);
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 30; i++) await driver.put('whole', versions[i % 2]!);
        writing = false;
      })();
      const seen = new Set<string>();
      while (writing) {
        const found = text(await driver.read('whole'))!;
        expect(found).toHaveLength(200_000);
        seen.add(found.replaceAll(found[0]!, ''));
      }
      await writer;
      expect([...seen]).toEqual(['']);
    });
  });
}

import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { StoreDriver } from '../../driver.ts';

/** Objects in a map and a local cache folder, as a remote place would have: nothing of it is resident. */
export function memoryDriver(): StoreDriver {
  const objects = new Map<string, { bytes: Uint8Array; modified: number }>();
  const localFolder = mkdtempSync(join(tmpdir(), 'hourglass-memory-'));
  const info = (key: string) => {
    const object = objects.get(key);
    return object && { key, bytes: object.bytes.byteLength, modified: object.modified };
  };
  const set = (key: string, bytes: Uint8Array) =>
    void objects.set(key, { bytes: Uint8Array.from(bytes), modified: Date.now() });
  return {
    location: 'memory://test',
    localFolder,
    resident: false,
    read: async (key) => objects.get(key)?.bytes.slice(),
    stat: async (key) => info(key),
    async *list(prefix) {
      for (const key of [...objects.keys()]) if (prefix === '' || key.startsWith(`${prefix}/`)) yield info(key)!;
    },
    put: async (key, bytes) => set(key, bytes),
    async putIfAbsent(key, bytes) {
      if (objects.has(key)) return false;
      set(key, bytes);
      return true;
    },
    async putFile(key, path) {
      set(key, await readFile(path));
      await rm(path);
    },
    async localFile(key) {
      const object = objects.get(key);
      if (object === undefined) return undefined;
      const path = join(localFolder, 'fetched', key);
      const there = await stat(path).catch(() => undefined);
      if (there === undefined) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, object.bytes);
        await chmod(path, 0o444);
      }
      return path;
    },
    async delete(key) {
      objects.delete(key);
    },
  };
}

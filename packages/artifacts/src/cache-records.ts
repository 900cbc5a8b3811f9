import type { CacheKeyParts } from '@hourglass/core';
import type { StoreDriver } from './driver.ts';
import { hashBytes } from './hash-file.ts';
import type { CacheRecord, CacheRecords } from './types.ts';

export const recordKey = (key: string): string => `cache/${key.slice(0, 2)}/${key}.json`;

const REFRESH_MS = 24 * 3600_000;

/** What was last asked for at a place in a pipeline. */
export interface LastParts {
  pipeline: string;
  path: string;
  parts: CacheKeyParts;
}

export function cacheRecords(driver: StoreDriver): CacheRecords {
  async function read<T>(key: string): Promise<T | undefined> {
    const bytes = await driver.read(key);
    try {
      return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T);
    } catch {
      // Records are written whole, so this one was damaged afterwards: as good as absent, and `put` replaces it.
      return undefined;
    }
  }

  async function get(key: string): Promise<CacheRecord | undefined> {
    const record = await read<CacheRecord>(recordKey(key));
    return record?.key === key && typeof record.result?.outputs === 'object' ? record : undefined;
  }

  return {
    get,

    async put(record, { replace = false } = {}) {
      const bytes = encode(record);
      if (!replace) {
        if (await driver.putIfAbsent(recordKey(record.key), bytes)) return record;
        const winner = await get(record.key);
        if (winner !== undefined) return winner;
      }
      await driver.put(recordKey(record.key), bytes);
      return record;
    },

    async remember(pipeline, path, parts) {
      const key = lastKey(pipeline, path);
      const known = await read<LastParts>(key);
      const last: LastParts = { pipeline, path, parts };
      if (known !== undefined && JSON.stringify(known) === JSON.stringify(last)) {
        // Its age is how collection knows that the record is still in use; once a day is enough for that.
        const written = (await driver.stat(key))?.modified ?? 0;
        if (Date.now() - written < REFRESH_MS) return;
      }
      // Only explains: not worth waiting for the disk.
      await driver.put(key, encode(last), { durable: false });
    },

    async last(pipeline, path) {
      return (await read<LastParts>(lastKey(pipeline, path)))?.parts;
    },
  };
}

function lastKey(pipeline: string, path: string): string {
  const digest = hashBytes(`${pipeline}\n${path}`);
  return `last/${digest.slice(0, 2)}/${digest}.json`;
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

import { chmod, link, mkdir, open, opendir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ObjectInfo, StoreDriver } from './driver.ts';
import { errnoOf, readError, writeError } from './storage-error.ts';
import { tempFiles } from './temp-files.ts';

/** Object names are ours: `[key]` never leaves the folder. */
export function folderDriver(location: string): StoreDriver {
  const root = resolve(location);
  const temp = tempFiles(join(root, 'tmp'));
  const pathOf = (key: string): string => join(root, ...key.split('/'));

  /** Writes beside, then moves into place by `commit`; whatever fails, nothing is left over. */
  async function writeAside<T>(
    key: string,
    bytes: Uint8Array,
    durable: boolean,
    commit: (aside: string) => Promise<T>,
  ): Promise<T> {
    let aside: string | undefined;
    try {
      aside = await temp.path();
      const file = await open(aside, 'wx');
      try {
        await file.writeFile(bytes);
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      return await commit(aside);
    } catch (error) {
      throw writeError(error, pathOf(key), root);
    } finally {
      if (aside !== undefined) await temp.discard(aside);
    }
  }

  async function moveInto(key: string, path: string, durable = true): Promise<void> {
    await chmod(path, 0o444);
    await inFolderOf(pathOf(key), durable, (target) => rename(path, target));
    temp.release(path);
  }

  return {
    location: root,
    localFolder: root,
    resident: true,

    async read(key) {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw readError(error, pathOf(key), root);
      }
    },

    async stat(key) {
      try {
        const { size, mtimeMs } = await stat(pathOf(key));
        return { key, bytes: size, modified: mtimeMs };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw readError(error, pathOf(key), root);
      }
    },

    list: (prefix) => walk(root, prefix),

    put: (key, bytes, { durable = true } = {}) =>
      writeAside(key, bytes, durable, (aside) => moveInto(key, aside, durable)),

    putIfAbsent: (key, bytes) =>
      writeAside(key, bytes, true, async (aside) => {
        await chmod(aside, 0o444);
        try {
          // A hard link, unlike a rename, fails when the name is taken: the kernel picks the one winner.
          await inFolderOf(pathOf(key), true, (target) => link(aside, target));
          return true;
        } catch (error) {
          if (errnoOf(error) === 'EEXIST') return false;
          throw error;
        }
      }),

    async putFile(key, path) {
      try {
        const file = await open(path, 'r');
        try {
          await file.sync();
        } finally {
          await file.close();
        }
        await moveInto(key, path);
      } catch (error) {
        throw writeError(error, pathOf(key), root);
      } finally {
        await temp.discard(path);
      }
    },

    async localFile(key) {
      const path = pathOf(key);
      return (await stat(path).catch(() => undefined))?.isFile() ? path : undefined;
    },

    async delete(key) {
      try {
        await unlink(pathOf(key));
      } catch (error) {
        if (!isAbsent(error)) throw writeError(error, pathOf(key), root);
      }
    },
  };
}

/** Places an entry by `act`, making its folder when it is not there, and has the folder itself reach the disk. */
async function inFolderOf(target: string, durable: boolean, act: (target: string) => Promise<void>): Promise<void> {
  const folder = dirname(target);
  try {
    await act(target);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const made = await mkdir(folder, { recursive: true });
    await act(target);
    if (made !== undefined && durable) await syncFolder(dirname(made));
  }
  if (durable) await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; there the rename alone must do.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* walk(root: string, prefix: string): AsyncIterable<ObjectInfo> {
  let folder;
  try {
    folder = await opendir(join(root, ...prefix.split('/')));
  } catch (error) {
    if (isAbsent(error)) return;
    throw readError(error, join(root, prefix), root);
  }
  for await (const entry of folder) {
    const key = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(root, key);
    else {
      // Another process may have deleted it since.
      const info = await stat(join(root, ...key.split('/'))).catch(() => undefined);
      if (info !== undefined) yield { key, bytes: info.size, modified: info.mtimeMs };
    }
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');

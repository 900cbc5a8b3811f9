import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What a file looked like when its bytes were hashed. Any write to the file changes one of the four. */
export interface FileStamp {
  size: string;
  mtimeNs: string;
  ctimeNs: string;
  ino: string;
}

/** @throws the filesystem's own error when the file is not there */
export async function stampOf(path: string): Promise<FileStamp> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
  return { size: `${size}`, mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}`, ino: `${ino}` };
}

export const sameStamp = (a: FileStamp | undefined, b: FileStamp | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.size === b.size &&
  a.mtimeNs === b.mtimeNs &&
  a.ctimeNs === b.ctimeNs &&
  a.ino === b.ino;

/** Small JSON kept beside the store so that bytes already hashed are not hashed again. Losing one costs a hash, no more. */
export interface Stamps {
  read<T>(key: string): Promise<T | undefined>;
  write(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
}

export function stamps(folder: string): Stamps {
  const pathOf = (key: string): string => join(folder, ...key.split('/'));
  return {
    async read<T>(key: string) {
      try {
        return JSON.parse(await readFile(pathOf(key), 'utf8')) as T;
      } catch {
        return undefined;
      }
    },
    async write(key, value) {
      const text = JSON.stringify(value);
      const path = pathOf(key);
      // Without fsync and without complaint: on a read-only or full store the stamp is merely not there next time.
      await writeFile(path, text)
        .catch(() => mkdir(dirname(path), { recursive: true }).then(() => writeFile(path, text)))
        .catch(() => undefined);
    },
    remove: (key) => rm(pathOf(key), { force: true }).catch(() => undefined),
  };
}

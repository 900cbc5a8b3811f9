import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { access, constants, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processIdentity } from './process-identity.ts';

/** Files of another host whose process cannot be asked are kept this long. */
const FOREIGN_GRACE_MS = 7 * 24 * 3600_000;

export interface TempFiles {
  /** A fresh path in the folder; nothing is created there yet. */
  path(suffix?: string): Promise<string>;
  /** The file was moved away. */
  release(path: string): void;
  /** Removes whatever stands at a path handed out and not released. */
  discard(path: string): Promise<void>;
  /** Removes what processes that no longer live have left. @returns paths removed */
  sweep(): Promise<string[]>;
}

const outstanding = new Set<string>();
let atExit = false;

/** Temporary names that tell whose they are, so that those of dead processes can be cleaned and no others. */
export function tempFiles(folder: string): TempFiles {
  let ready: Promise<unknown> | undefined;

  async function sweep(): Promise<string[]> {
    const removed: string[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const alive = isAlive(name);
      const stale =
        alive === 'unknown'
          ? await stat(path).then(
              ({ mtimeMs }) => Date.now() - mtimeMs > FOREIGN_GRACE_MS,
              () => false,
            )
          : !alive;
      if (!stale) continue;
      await rm(path, { recursive: true, force: true });
      removed.push(path);
    }
    return removed;
  }

  return {
    async path(suffix = '') {
      // Asked here, so that whoever is to write the file (a database, a plugin) need not stumble over it later.
      ready ??= mkdir(folder, { recursive: true })
        .then(() => access(folder, constants.W_OK))
        .then(sweep);
      await ready.catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      if (!atExit) {
        atExit = true;
        process.on('exit', () => {
          for (const path of outstanding) rmSync(path, { recursive: true, force: true });
        });
      }
      const path = join(folder, `${processIdentity}-${randomBytes(6).toString('hex')}${suffix}`);
      outstanding.add(path);
      return path;
    },
    release: (path) => void outstanding.delete(path),
    async discard(path) {
      if (!outstanding.delete(path)) return;
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    },
    sweep,
  };
}

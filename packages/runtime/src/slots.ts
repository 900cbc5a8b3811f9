import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, isAlive, processIdentity } from '@hourglass/artifacts';

/** Permission to use one core. Given back exactly once; a second `release` does nothing. */
export interface Slot {
  release(): void;
}

/** How many stage processes of this user compute at once, over all runs and programs on the machine. */
export interface Slots {
  readonly count: number;
  /**
   * Waits for a free slot. `urgent` goes before the others of this process: for work that already began.
   * Rejects with the signal's reason when aborted first.
   */
  acquire(signal?: AbortSignal, options?: { urgent?: boolean }): Promise<Slot>;
}

interface Waiter {
  give(slot: Slot): void;
  fail(reason: unknown): void;
}

/** How often the front of the queue looks for a slot that another process gave back. */
const POLL_MS = 20;

/**
 * Slots as files `slot-0 … slot-(n−1)` created exclusively, holding the identity of the process they belong to; a file of a
 * process that died is taken over. Within a process waiters are served in order, so only the first one asks the file system.
 */
export function machineSlots(options: { count?: number; folder?: string } = {}): Slots {
  const count = options.count ?? slotCountFromEnv() ?? availableParallelism();
  const folder = options.folder ?? join(cacheFolder(), 'slots', processIdentity.split('-')[0]!);
  mkdirSync(folder, { recursive: true });
  const waiting: Waiter[] = [];
  let timer: NodeJS.Timeout | undefined;

  const serve = (): void => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0) {
      let file: string | undefined;
      try {
        file = claim(folder, count);
      } catch (error) {
        for (const waiter of waiting.splice(0)) waiter.fail(error);
        return;
      }
      if (file === undefined) {
        timer = setTimeout(serve, POLL_MS);
        return;
      }
      const path = file;
      let held = true;
      ownFiles.add(path);
      waiting.shift()!.give({
        release() {
          if (!held) return;
          held = false;
          ownFiles.delete(path);
          rmSync(path, { force: true });
          if (waiting.length > 0) serve();
        },
      });
    }
  };

  return {
    count,
    acquire(signal, { urgent = false } = {}) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(signal!.reason as Error);
        };
        const waiter: Waiter = {
          give(slot) {
            signal?.removeEventListener('abort', onAbort);
            resolve(slot);
          },
          fail(reason) {
            signal?.removeEventListener('abort', onAbort);
            reject(reason as Error);
          },
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        if (urgent) waiting.unshift(waiter);
        else waiting.push(waiter);
        if (timer === undefined) serve();
      });
    },
  };
}

/** Files of this process, so that a normal exit leaves none behind. */
const ownFiles = new Set<string>();
process.once('exit', () => {
  for (const path of ownFiles) rmSync(path, { force: true });
});

function claim(folder: string, count: number): string | undefined {
  for (let index = 0; index < count; index++) {
    const path = join(folder, `slot-${index}`);
    if (create(path)) return path;
    if (takeOverDead(path) && create(path)) return path;
  }
  return undefined;
}

function create(path: string): boolean {
  try {
    writeFileSync(path, processIdentity, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the file when its process is gone. By rename, so that of several processes only one removes it. */
function takeOverDead(path: string): boolean {
  const owner = readOwner(path);
  if (owner === undefined || (owner === '' ? writtenNow(path) : isAlive(owner) !== false)) return false;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return false;
  }
  // Between reading and renaming another process may have replaced the file by its own: then it goes back.
  if (readOwner(aside) === owner) {
    rmSync(aside, { force: true });
    return true;
  }
  renameSync(aside, path);
  return false;
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** An empty file is one whose owner is about to write it, unless it has been so for long. */
function writtenNow(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs < 5000;
  } catch {
    return true;
  }
}

function slotCountFromEnv(): number | undefined {
  const value = Number(process.env['HOURGLASS_SLOTS']);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

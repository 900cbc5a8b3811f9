import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, processIdentity } from '@hourglass/artifacts';

const PREFIX = 'lock.';
/** How often a process asks again that met another one which was asking at the same moment. */
const TRIES = 8;

/**
 * Takes the lock of a folder: one process drives a run, or a server's database. The lock of a process that died is removed.
 * @returns what gives it back; undefined when a living process (maybe of another machine) holds it
 */
export async function lockFolder(folder: string): Promise<(() => Promise<void>) | undefined> {
  await mkdir(folder, { recursive: true });
  // A file of its own for each asker: whoever then sees no other living one has the lock. Names are never used twice, so
  // that removing a dead one cannot hit a lock taken since; askers that saw each other both step back and ask again.
  let seen: string[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const name = `${PREFIX}${process.pid}-${Math.random().toString(36).slice(2)}`;
    const path = join(folder, name);
    await writeFile(`${path}.tmp`, processIdentity);
    await rename(`${path}.tmp`, path);
    const { living, dead } = await folderLocks(folder);
    if (living.every((other) => other === name)) {
      for (const other of dead) await rm(join(folder, other), { force: true });
      return () => rm(path, { force: true });
    }
    await rm(path, { force: true });
    // An asker has another name the second time; one that stays has the lock.
    if (living.some((other) => seen.includes(other))) return undefined;
    seen = living;
    await sleep(Math.random() * 10 * 2 ** attempt);
  }
  return undefined;
}

/** The locks in a folder, as `lock.PID-…`: of processes that may be alive, and of dead ones. */
export async function folderLocks(folder: string): Promise<{ living: string[]; dead: string[] }> {
  const locks = { living: [] as string[], dead: [] as string[] };
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX) || name.endsWith('.tmp')) continue;
    const owner = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (owner !== undefined) locks[isAlive(owner) === false ? 'dead' : 'living'].push(name);
  }
  return locks;
}

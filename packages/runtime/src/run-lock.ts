import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processIdentity } from '@hourglass/artifacts';
import { LOCK } from './run-folder.ts';

/**
 * Takes the lock of a run: one process drives a run. The lock of a process that died is taken over.
 * @returns what gives it back; undefined when a living process (maybe of another machine) holds it
 */
export async function lockRun(folder: string): Promise<(() => Promise<void>) | undefined> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, LOCK);
  const own = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(own, processIdentity);
  try {
    // By link, so that the lock is never seen without its content.
    if ((await linked(own, path)) || ((await removedDead(path, own)) && (await linked(own, path))))
      return () => rm(path, { force: true });
    return undefined;
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  return link(own, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

async function removedDead(path: string, own: string): Promise<boolean> {
  const owner = await readFile(path, 'utf8').catch(() => undefined);
  if (owner === undefined) return true;
  if (isAlive(owner) !== false) return false;
  // Of several processes that see the same dead lock, one succeeds in moving it away.
  const aside = `${own}.dead`;
  try {
    await rename(path, aside);
  } catch {
    return true;
  }
  const moved = await readFile(aside, 'utf8');
  if (moved === owner) {
    await rm(aside, { force: true });
    return true;
  }
  await rename(aside, path);
  return false;
}

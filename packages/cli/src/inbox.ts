import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '@hourglass/artifacts';
import type { Answer } from '@hourglass/core';
import { runsFolder } from '@hourglass/runtime';

const folderOf = (store: Pick<Store, 'driver'>, runId: string): string => join(runsFolder(store), runId, 'inbox');

/** Leaves an answer for a run; the process that drives it (now or later) takes it. */
export async function leaveAnswer(store: Pick<Store, 'driver'>, runId: string, answer: Answer): Promise<void> {
  const folder = folderOf(store, runId);
  await mkdir(folder, { recursive: true });
  const name = `${String(Date.now()).padStart(15, '0')}-${randomBytes(4).toString('hex')}`;
  await writeFile(join(folder, `${name}.tmp`), JSON.stringify(answer));
  await rename(join(folder, `${name}.tmp`), join(folder, `${name}.json`));
}

/** Takes the newest answer for a stage out of the inbox; older ones for it are dropped. */
export async function takeAnswer(
  store: Pick<Store, 'driver'>,
  runId: string,
  path: string,
): Promise<Answer | undefined> {
  const folder = folderOf(store, runId);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  let found: Answer | undefined;
  for (const name of names) {
    const file = join(folder, name);
    const answer = JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as Answer | null;
    if (answer?.path !== path) continue;
    found = answer;
    await rm(file, { force: true });
  }
  return found;
}

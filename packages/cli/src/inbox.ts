import { randomBytes } from 'node:crypto';
import type { Store } from '@hourglass/artifacts';
import type { Answer } from '@hourglass/core';

const folderOf = (runId: string): string => `runs/${runId}/inbox`;

/** Leaves an answer for a run; the process that drives it (now or later, on whichever machine) takes it. */
export async function leaveAnswer({ driver }: Pick<Store, 'driver'>, runId: string, answer: Answer): Promise<void> {
  const name = `${String(Date.now()).padStart(15, '0')}-${randomBytes(4).toString('hex')}`;
  await driver.put(`${folderOf(runId)}/${name}.json`, new TextEncoder().encode(JSON.stringify(answer)));
}

/** Takes the newest answer for a stage out of the inbox; older ones for it are dropped. */
export async function takeAnswer(
  { driver }: Pick<Store, 'driver'>,
  runId: string,
  path: string,
): Promise<Answer | undefined> {
  const keys: string[] = [];
  for await (const { key } of driver.list(folderOf(runId))) keys.push(key);
  let found: Answer | undefined;
  for (const key of keys.sort()) {
    const bytes = await driver.read(key);
    const answer = bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Answer);
    if (answer?.path !== path) continue;
    found = answer;
    await driver.delete(key);
  }
  return found;
}

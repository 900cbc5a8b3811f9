import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { processIdentity } from '@hourglass/artifacts';
import { expect, onTestFinished, test } from 'vitest';
import { machineSlots } from '../slots.ts';

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-slots-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('no more are given than there are, in order of asking, and urgent ones first', async () => {
  const slots = machineSlots({ count: 2, folder: await temporary() });
  const [a, b] = [await slots.acquire(), await slots.acquire()];
  const order: string[] = [];
  const wait = async (name: string, urgent = false): Promise<void> => {
    const slot = await slots.acquire(undefined, { urgent });
    order.push(name);
    slot.release();
  };
  const waiting = [wait('first'), wait('second'), wait('urgent', true)];
  await sleep(60);
  expect(order).toEqual([]);
  a.release();
  a.release();
  await Promise.all(waiting);
  expect(order).toEqual(['urgent', 'first', 'second']);
  b.release();
});

test('two programs share one count', async () => {
  const folder = await temporary();
  const [one, other] = [machineSlots({ count: 1, folder }), machineSlots({ count: 1, folder })];
  const held = await one.acquire();
  let got = false;
  const waiting = other.acquire().then((slot) => {
    got = true;
    return slot;
  });
  await sleep(80);
  expect(got).toBe(false);
  held.release();
  (await waiting).release();
  expect(await readdir(folder)).toEqual([]);
});

test('waiting ends when aborted', async () => {
  const slots = machineSlots({ count: 1, folder: await temporary() });
  const held = await slots.acquire();
  const abort = new AbortController();
  const waiting = slots.acquire(abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  held.release();
  (await slots.acquire()).release();
});

test('slots of a program that was killed, or whose number another program has now, are free again', async () => {
  const folder = await temporary();
  const script = `import { machineSlots } from ${JSON.stringify(fileURLToPath(new URL('../slots.ts', import.meta.url)))};
    const slots = machineSlots({ count: 2, folder: ${JSON.stringify(folder)} });
    await slots.acquire();
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@hourglass/source', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 20_000 }).toContain('held');
  const slots = machineSlots({ count: 2, folder });
  const own = await slots.acquire();
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('none free')), 100);
  await expect(slots.acquire(abort.signal)).rejects.toThrow('none free');
  child.kill('SIGKILL');
  (await slots.acquire()).release();
  own.release();
  // The same pid, started at another time.
  for (const index of [0, 1]) await writeFile(join(folder, `slot-${index}`), processIdentity.replace(/\d+$/, '1'));
  (await slots.acquire()).release();
});

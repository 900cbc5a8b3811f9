import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openStore } from '../open-store.ts';
import { processIdentity } from '../process-identity.ts';
import { tempFiles } from '../temp-files.ts';
import { verifyStore } from '../verify-store.ts';
import { bytes } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const SCRIPT = fileURLToPath(new URL('./support/busy-writer.ts', import.meta.url));

function writer(location: string, who: string, rounds: number, size: number): ChildProcess {
  const flags = ['--import', 'tsx', '--conditions=@hourglass/source'];
  return spawn(process.execPath, [...flags, SCRIPT, location, who, String(rounds), String(size)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('processes that write the same records, blobs and names at once agree and lose nothing', async () => {
  const location = tempFolder();
  const rounds = 12;
  const outputs = await Promise.all(
    ['ada', 'bob', 'eve'].map(async (who) => {
      const child = writer(location, who, rounds, 50_000);
      let output = '';
      child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
      expect((await once(child, 'close'))[0]).toBe(0);
      return JSON.parse(output.trimEnd().split('\n').at(-1)!) as Record<string, string>;
    }),
  );
  expect(Object.keys(outputs[0]!)).toHaveLength(rounds);
  expect(outputs[1]).toEqual(outputs[0]);
  expect(outputs[2]).toEqual(outputs[0]);
  const store = await openStore(location);
  for (const [key, digest] of Object.entries(outputs[0]!))
    expect((await store.cache.get(key))!.result.outputs['model']!.digest).toBe(digest);
  const { versions } = await store.names.history('shared');
  expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 3 * rounds }, (_, i) => i + 1));
  expect(new Set(versions.map(({ run }) => run)).size).toBe(3 * rounds);
  expect((await verifyStore(store)).problems).toEqual([]);
  expect(readdirSync(join(location, 'tmp'))).toEqual([]);
});

test('a store whose writers are killed in the middle of writing verifies clean, and is tidied by the next writer', async () => {
  const location = tempFolder();
  let left = 0;
  // Until one was killed with a file half written, as shown by what it left; usually that is the first.
  for (let i = 0; i < 3 || (left === 0 && i < 15); i++) {
    const child = writer(location, `victim ${i}`, 1_000_000, 5_000_000);
    // After its first round, somewhere in the next ones.
    await once(child.stdout!, 'data');
    await new Promise((resolve) => setTimeout(resolve, 37 * i));
    child.kill('SIGKILL');
    await once(child, 'close');
    left += readdirSync(join(location, 'tmp')).length;
  }
  const store = await openStore(location);
  const report = await verifyStore(store);
  expect(report.problems).toEqual([]);
  expect(report.artifacts).toBeGreaterThan(2);
  expect(await store.checkpoint('d'.repeat(64), 1, 'next').load()).toBeDefined();
  await store.artifacts.putBlob(bytes('next'));
  expect(readdirSync(join(location, 'tmp'))).toEqual([]);
  expect(left).toBeGreaterThan(0);
});

test('files of living processes and recent files of other hosts are left alone', async () => {
  const folder = tempFolder();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const temp = tempFiles(folder);
  const [host] = processIdentity.split('-') as [string];
  const names = {
    own: `${processIdentity}-aa`,
    reusedPid: `${host}-${child.pid}-1-cc`,
    foreign: 'ffffffff-1-1-dd',
    foreignOld: 'ffffffff-1-1-ee',
  };
  for (const name of Object.values(names)) writeFileSync(join(folder, name), '');
  utimesSync(join(folder, names.foreignOld), 1_600_000_000, 1_600_000_000);
  await temp.sweep();
  child.kill();
  expect(existsSync(join(folder, names.own))).toBe(true);
  expect(existsSync(join(folder, names.foreign))).toBe(true);
  expect(existsSync(join(folder, names.foreignOld))).toBe(false);
  if (process.platform === 'linux') expect(existsSync(join(folder, names.reusedPid))).toBe(false);
});

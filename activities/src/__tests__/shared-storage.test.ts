import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { s3TestServer } from '@hourglass/artifacts/testing';
import { createRunner, runPipeline } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { carrySources } from '../client/carry-sources.ts';
import { submitRun } from '../client/submit-run.ts';
import { compileSource } from '../worker/store-activities.ts';
import { makePlace, startProcess, toyPlugin, type WorkerProcess } from './support/place.ts';

const server = await s3TestServer();
afterAll(async () => server?.stop());

const text = `hourglass: v1
name: toy
seed: 7
params: { file: { type: string, default: table.csv } }
stages:
  ingest: { uses: data/ingest, with: { uri: "../data/\${{ params.file }}" } }
  more: { uses: data/ingest, with: { uri: more/*.csv }, needs: [ingest] }
  train: { uses: toy/train, needs: [more], with: { steps: 60, sleepMs: 50 }, timeout: { heartbeat: 3s }, retry: { maxAttempts: 3 } }
`;

/** A machine of its own: a folder with nothing in it but the toy plugin, and a cache folder of its own. */
function emptyMachine(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-machine-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(toyPlugin, join(folder, 'node_modules/hourglass-plugin-toy'));
  return folder;
}

test.skipIf(server === undefined)(
  'machines that share object storage and nothing else: sources travel, a training goes on elsewhere, the bytes are the same',
  async () => {
    await server!.makeBucket('shared');
    const place = await makePlace();
    const { client, settings, plugins, folder, env } = place;
    const write = (name: string, content: string): void => {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), content);
    };
    write('data/table.csv', `id,x\n${Array.from({ length: 40 }, (_, i) => `${i},${i / 7}`).join('\n')}\n`);
    write('pipelines/more/a.csv', 'id,x\n1,2\n');
    write('pipelines/more/b.csv', 'id,x\n2,3\n');
    const baseDir = join(folder, 'pipelines');

    const s3 = { ...server!.env(), HOURGLASS_HOME: 's3://shared/store' };
    const before = { ...process.env };
    Object.assign(process.env, s3, { XDG_CACHE_HOME: join(folder, 'cache') });
    onTestFinished(() => void (process.env = before));
    const store = await openStore('s3://shared/store');
    const source = { file: 'p.yaml', files: { 'p.yaml': text } };
    const request: RunRequest = { name: 'toy', source, baseDir };
    const plan = compileSource(request, plugins);
    const carried = await carrySources({ store, plugins, plan, baseDir }, {});
    const { digest } = await store.artifacts.putBlob(new TextEncoder().encode('proof'));

    const machines = [emptyMachine(), emptyMachine()];
    const started: WorkerProcess[] = [];
    onTestFinished(async () => {
      for (const one of started) one.signalAll('SIGKILL');
      await Promise.all(started.map(({ ended }) => ended));
      for (const machine of machines) rmSync(machine, { recursive: true, force: true });
    });
    const worker = async (machine: string): Promise<WorkerProcess> => {
      const one = startProcess(machine, ['worker'], { ...env, ...s3, XDG_CACHE_HOME: join(machine, 'cache') });
      started.push(one);
      await one.until('worker polls');
      return one;
    };
    const first = await worker(machines[0]!);
    const { workflowId } = await submitRun(client, settings, env, {
      plan,
      request: { ...request, carried, proof: { digest, store: store.location } },
      id: `shared-${settings.taskQueue}`,
    });
    await place.until(workflowId, ({ progress }) => progress.some(({ message }) => /step (1|2)\d\//.test(message)));
    first.signalAll('SIGKILL');
    const second = await worker(machines[1]!);
    const { execution, view, failure } = await place.ended(workflowId);
    expect(failure).toBeUndefined();
    expect(execution).toBe('COMPLETED');
    expect(second.output()).toMatch(/continuing at step (1|2|3)\d/);

    // The same on this machine, from its own files and in a store of its own.
    const own = await openStore(join(folder, 'own'));
    const runner = createRunner({ store: own, plugins });
    const here = await runPipeline({
      ...{ plan, store: own, runner, plugins, baseDir, outDir: folder },
      scheduledAt: view!.state!.run.scheduledAt,
    }).finally(() => runner.close());
    for (const stage of ['ingest', 'more', 'train'])
      expect(view!.state!.stages[stage]!.outputs, stage).toEqual(here.state.stages[stage]!.outputs);
  },
);

test.skipIf(server === undefined)('what cannot be carried is refused by name', async () => {
  await server!.makeBucket('refused');
  const { plugins, folder } = await makePlace();
  const before = { ...process.env };
  Object.assign(process.env, server!.env(), { XDG_CACHE_HOME: join(folder, 'cache') });
  onTestFinished(() => void (process.env = before));
  const store = await openStore('s3://refused/store');
  const carry = (uri: string): Promise<string | undefined> => {
    const yaml = `hourglass: v1
name: toy
stages:
  first: { uses: toy/emit }
  ingest: { uses: data/ingest, needs: [first], with: { uri: "${uri}" } }
`;
    const source = { file: 'p.yaml', files: { 'p.yaml': yaml } };
    const plan = compileSource({ name: 'toy', source, baseDir: folder }, plugins);
    return carrySources({ store, plugins, plan, baseDir: folder }, {});
  };
  await expect(carry('x-${{ run.partition }}.csv')).rejects.toThrow(/`ingest` reads x-.*cannot be carried/s);
  expect(await carry('s3://refused/table.csv')).toBeUndefined();
  expect(await carry('/data/table.csv')).toBeUndefined();
});

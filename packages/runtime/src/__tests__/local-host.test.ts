import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processIdentity } from '@hourglass/artifacts';
import { compile, formatDiagnostics, type Plan } from '@hourglass/core';
import { describe, expect, test } from 'vitest';
import { runPipeline, type RunPipelineOptions } from '../local-host.ts';
import { planPipeline } from '../plan-pipeline.ts';
import { listRuns, readRun, runRoots, runsFolder } from '../run-folder.ts';
import { lockFolder } from '../folder-lock.ts';
import { type ToyPlace, toyPlace } from './toy.ts';

const CHAIN = `
hourglass: v1
name: chain
params: { value: { type: number, default: 1 }, steps: { type: integer, default: 12 } }
stages:
  emit: { uses: toy/emit, with: { value: "\${{ params.value }}" } }
  train:
    uses: toy/train
    retry: { maxAttempts: 3, initialInterval: 10ms }
    with: { model: "\${{ stages.emit.model }}", steps: "\${{ params.steps }}", sleepMs: 20 }
  write: { uses: toy/write, needs: [train], with: { uri: a.txt } }
`;

function compiled(toys: ToyPlace, text: string): Plan {
  const { plan, diagnostics } = compile({ text, file: 'chain.yaml' }, toys.plugins.registry);
  if (!plan) throw new Error(formatDiagnostics(diagnostics));
  return plan;
}

function options(toys: ToyPlace, text = CHAIN): RunPipelineOptions {
  const { store, runner, plugins, folder } = toys;
  return { plan: compiled(toys, text), store, runner, plugins, baseDir: folder, outDir: join(folder, 'out') };
}

describe('running a pipeline', () => {
  test('runs every stage, keeps a record, and finds everything cached the second time', async () => {
    const toys = await toyPlace();
    const first = await runPipeline({ ...options(toys), source: { file: 'chain.yaml', text: CHAIN } });
    expect(first).toMatchObject({
      status: 'succeeded',
      pipeline: 'chain',
      params: { value: 1 },
      source: { text: CHAIN },
    });
    expect(first.id).toMatch(/^\d{8}-\d{6}-chain-[0-9a-z]{4}$/);
    expect(Object.values(first.state.stages).map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    expect(first.occasions['train']).toMatchObject({ cache: 'miss', pid: expect.any(Number) });
    expect(first.occasions['write']?.sinks).toMatchObject([
      { uri: 'a.txt', path: join(toys.folder, 'out', 'a.txt'), bytes: 5 },
    ]);
    expect(await readFile(join(toys.folder, 'out', 'a.txt'), 'utf8')).toBe('hello');

    const second = await runPipeline(options(toys));
    expect(second.id).not.toBe(first.id);
    expect(Object.values(second.occasions).map(({ cache }) => cache)).toEqual(['hit', 'hit', 'hit']);
    expect(second.state.stages['train']?.outputs).toEqual(first.state.stages['train']?.outputs);
    expect((await listRuns(toys.store)).map(({ id }) => id)).toEqual([first.id, second.id].sort().reverse());
    expect((await readRun(toys.store, first.id.slice(0, -1))).id).toBe(first.id);
    await expect(readRun(toys.store, 'nothing')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  test('what is forced is computed anew', async () => {
    const toys = await toyPlace();
    await runPipeline(options(toys));
    const again = await runPipeline({ ...options(toys), force: ['train'] });
    expect(again.occasions).toMatchObject({
      emit: { cache: 'hit' },
      train: { cache: 'miss' },
      write: { cache: 'hit' },
    });
  });

  test('a stage process killed with SIGKILL is retried and gives the same digest', async () => {
    const undisturbed = await runPipeline(options(await toyPlace()));
    const toys = await toyPlace();
    const logs: string[] = [];
    let killed = false;
    let pid = 0;
    const record = await runPipeline({
      ...options(toys),
      onStart: (start) => (pid = start.pid),
      onLog: ({ message }) => logs.push(message),
      onProgress({ path, message }) {
        if (path !== 'train' || killed || !/step [4-9]\//.test(message)) return;
        killed = true;
        process.kill(pid, 'SIGKILL');
      },
    });
    expect(killed).toBe(true);
    expect(record.status).toBe('succeeded');
    expect(logs).toEqual([expect.stringMatching(/continuing at step [4-9]/)]);
    expect(record.state.stages['train']?.outputs).toEqual(undisturbed.state.stages['train']?.outputs);
  });

  test('a failed stage stops what needs it and nothing else', async () => {
    const toys = await toyPlace();
    const text = `
hourglass: v1
name: broken
stages:
  bad: { uses: toy/misbehave, retry: { maxAttempts: 1 }, with: { how: throw } }
  after: { uses: toy/emit, needs: [bad] }
  beside: { uses: toy/emit, with: { value: 5 } }
`;
    const record = await runPipeline(options(toys, text));
    expect(record).toMatchObject({ status: 'failed', error: { code: 'STAGE_FAILED', path: 'bad' } });
    expect(record.state.stages).toMatchObject({
      bad: { status: 'failed' },
      after: { status: 'blocked' },
      beside: { status: 'done' },
    });
  });

  test('two runs of one pipeline at once agree', async () => {
    const toys = await toyPlace();
    const [a, b] = await Promise.all([
      runPipeline(options(toys)),
      runPipeline({ ...options(toys), runner: toys.another() }),
    ]);
    expect([a.status, b.status]).toEqual(['succeeded', 'succeeded']);
    expect(a.state.stages['train']?.outputs).toEqual(b.state.stages['train']?.outputs);
  });

  test('goes through the parts of a dataset and says which are missing', async () => {
    const toys = await toyPlace();
    const text = `
hourglass: v1
name: parts
stages:
  make: { uses: toy/parts, with: { count: 4 } }
  each:
    uses: toy/pass
    retry: { maxAttempts: 1 }
    forEach: { in: "\${{ stages.make.data }}", as: part, failureBudget: 1 }
    with: { data: "\${{ part }}", fail: p2 }
`;
    const record = await runPipeline(options(toys, text));
    expect(record.status).toBe('succeeded');
    const data = record.state.stages['each']?.outputs?.['data'];
    expect(data).toMatchObject({ kind: 'dataset', rows: 3, missing: ['p2'] });
    const { parts } = await toys.store.artifacts.get(data as { digest: string });
    expect(parts.map(({ key }) => key)).toEqual(['p0', 'p1', 'p3']);
    const planned = await planPipeline(options(toys, text));
    expect(planned[1]).toMatchObject({ status: 'RUN', items: { hit: 3, run: 1 } });
  });
});

describe('an interrupted run', () => {
  async function interrupt(toys: ToyPlace, atStep: RegExp) {
    const abort = new AbortController();
    return runPipeline({
      ...options(toys),
      signal: abort.signal,
      onProgress: ({ message }) => atStep.test(message) && abort.abort(),
    });
  }

  test('is continued by running the same again, from the checkpoint, to the same digest', async () => {
    const undisturbed = await runPipeline(options(await toyPlace()));
    const toys = await toyPlace();
    const interrupted = await interrupt(toys, /step [4-9]\//);
    expect(interrupted).toMatchObject({ status: 'interrupted' });
    expect(interrupted.state.stages['emit']?.status).toBe('done');
    expect(await runRoots(toys.store)).toContain(
      (interrupted.state.stages['emit']!.outputs!['model'] as { digest: string }).digest,
    );
    const logs: string[] = [];
    const record = await runPipeline({ ...options(toys), onLog: ({ message }) => logs.push(message) });
    expect(record).toMatchObject({ id: interrupted.id, status: 'succeeded', resumed: 1 });
    expect(logs).toEqual([expect.stringMatching(/continuing at step [4-9]/)]);
    expect(record.state.stages['train']?.outputs).toEqual(undisturbed.state.stages['train']?.outputs);
    expect(await runRoots(toys.store)).toEqual([]);
  });

  test('is left alone when other params are asked for, or something it used has changed', async () => {
    const text = CHAIN.replace('stages:', 'stages:\n  read: { uses: toy/read, with: { uri: data.txt } }');
    const toys = await toyPlace();
    await writeFile(join(toys.folder, 'data.txt'), 'abc');
    const abort = new AbortController();
    const interrupted = await runPipeline({
      ...options(toys, text),
      maxParallel: 1,
      signal: abort.signal,
      onProgress: ({ message }) => message.startsWith('step') && abort.abort(),
    });
    expect(interrupted.status).toBe('interrupted');
    const other = await runPipeline({ ...options(toys, text), params: { steps: 2 } });
    expect(other.id).not.toBe(interrupted.id);
    await writeFile(join(toys.folder, 'data.txt'), 'abcd');
    const fresh = await runPipeline(options(toys, text));
    expect(fresh.id).not.toBe(interrupted.id);
    expect(fresh.occasions).toMatchObject({ read: { cache: 'miss' }, emit: { cache: 'hit' } });
  });

  test('by kill -9 of the whole program leaves no process behind and is continued', async () => {
    const toys = await toyPlace();
    await writeFile(join(toys.folder, 'chain.yaml'), CHAIN.replace('default: 12', 'default: 100'));
    const script = fileURLToPath(new URL('./run-chain.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@hourglass/source', script, toys.folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await expect.poll(() => output, { timeout: 20_000 }).toMatch(/step (1\d|[5-9])\//);
    const pid = Number(/pid (\d+)/.exec(output)![1]);
    child.kill('SIGKILL');
    await expect.poll(() => alive(pid), { timeout: 5000 }).toBe(false);

    const [header] = await listRuns(toys.store);
    expect(header).toMatchObject({ status: 'interrupted' });
    const logs: string[] = [];
    const text = await readFile(join(toys.folder, 'chain.yaml'), 'utf8');
    const record = await runPipeline({ ...options(toys, text), onLog: ({ message }) => logs.push(message) });
    expect(record).toMatchObject({ id: header!.id, status: 'succeeded', resumed: 1 });
    expect(logs[0]).toMatch(/continuing at step \d+/);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the lock of a run', () => {
  test('belongs to one; that of a dead process is taken over', async () => {
    const { folder } = await toyPlace();
    const path = join(folder, 'run');
    const unlock = await lockFolder(path);
    expect(unlock).toBeDefined();
    expect(await lockFolder(path)).toBeUndefined();
    await unlock!();
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'lock.dead'), processIdentity.replace(/-\d+-\d+$/, '-999999-1'));
    const takers = await Promise.all(Array.from({ length: 5 }, () => lockFolder(path)));
    expect(takers.filter(Boolean)).toHaveLength(1);
    expect(await readdir(path)).toHaveLength(1);
  });
});

describe('planning', () => {
  const statuses = (planned: Awaited<ReturnType<typeof planPipeline>>) =>
    planned.map(({ path, status, reason }) => `${path} ${status} ${reason}`);

  test('says what would run and why, and runs nothing', async () => {
    const toys = await toyPlace();
    expect(statuses(await planPipeline(options(toys)))).toEqual([
      'emit RUN first run',
      'train UNKNOWN waits for emit',
      'write UNKNOWN waits for train',
    ]);
    await expect(readdir(runsFolder(toys.store))).rejects.toThrow();
    expect(toys.runner.pids()).toEqual([]);
    await runPipeline(options(toys));
    expect(statuses(await planPipeline(options(toys)))).toEqual([
      'emit HIT cached',
      'train HIT cached',
      'write HIT cached',
    ]);
    expect(statuses(await planPipeline({ ...options(toys), params: { steps: 13 } }))).toEqual([
      'emit HIT cached',
      'train RUN option steps: 12 → 13',
      'write UNKNOWN waits for train',
    ]);
    await writeFile(join(toys.folder, 'out', 'a.txt'), 'edited');
    expect(statuses(await planPipeline(options(toys)))[2]).toBe('write RUN a.txt was edited');
    expect(statuses(await planPipeline({ ...options(toys), force: ['train'] }))[1]).toBe('train RUN forced');
  });

  test('names what would fail at once', async () => {
    const toys = await toyPlace();
    const text = 'hourglass: v1\nname: reading\nstages:\n  read: { uses: toy/read, with: { uri: nowhere.txt } }\n';
    const [read] = await planPipeline(options(toys, text));
    expect(read).toMatchObject({ status: 'RUN', problem: { code: 'SOURCE_NOT_FOUND' } });
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openStore, type Store } from '@hourglass/artifacts';
import { discoverPlugins, type Plugins } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import type { Client } from '@temporalio/client';
import { inject, onTestFinished } from 'vitest';
import { readTemporalRun, type TemporalRun } from '../../client/run-handle.ts';
import { submitRun } from '../../client/submit-run.ts';
import { connectClient } from '../../connection/connect.ts';
import { temporalSettings, type TemporalSettings } from '../../connection/settings.ts';
import { startWorker, type RunningWorker } from '../../worker/run-worker.ts';
import { compileSource } from '../../worker/store-activities.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the server that all tests of this run share. */
    temporal: string;
  }
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const command = join(root, 'packages/cli/bin/hourglass.mjs');
export const toyPlugin = join(root, 'packages/runtime/fixtures/toy-plugin');

export interface WorkerProcess {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output so far holds the text. */
  until(text: string | RegExp): Promise<void>;
  ended: Promise<void>;
  /** A signal to the worker and its stage processes. */
  signalAll(signal: NodeJS.Signals): void;
}

export interface Place {
  folder: string;
  store: Store;
  plugins: Plugins;
  client: Client;
  settings: TemporalSettings;
  env: Record<string, string | undefined>;
  /** A worker in this process. */
  worker(options?: {
    queues?: string[];
    slots?: number;
    quickMs?: number;
    plugins?: Plugins;
    env?: Record<string, string>;
  }): Promise<RunningWorker>;
  /** A worker as one starts it. Resolves when it polls. */
  workerProcess(options?: { env?: Record<string, string>; args?: string[] }): Promise<WorkerProcess>;
  submit(yaml: string, more?: Partial<RunRequest>): Promise<string>;
  read(workflowId: string): Promise<TemporalRun>;
  /** Waits until the run is as asked. */
  until(workflowId: string, test: (run: TemporalRun) => boolean): Promise<TemporalRun>;
  /** Waits for its end. */
  ended(workflowId: string): Promise<TemporalRun>;
}

export interface PlaceOptions {
  env?: Record<string, string>;
  address?: string;
  /** When all of it goes. @default when the test ends */
  lasts?: (end: () => Promise<void>) => void;
}

/** A folder with a store, the toy plugin and a task queue of its own on the shared server. */
export async function makePlace(options: PlaceOptions = {}): Promise<Place> {
  const { lasts = onTestFinished } = options;
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-temporal-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(toyPlugin, join(folder, 'node_modules/hourglass-plugin-toy'));
  const env: Record<string, string | undefined> = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    // Slots of its own, so that tests do not wait for each other; the bundle of the workflow is shared.
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
    HOURGLASS_HOME: join(folder, 'store'),
    HOURGLASS_TASK_QUEUE: `test-${randomBytes(6).toString('hex')}`,
    TEMPORAL_ADDRESS: options.address ?? inject('temporal'),
    ...options.env,
  };
  const settings = temporalSettings(env);
  const { client, close } = await connectClient(settings, env);
  const [store, plugins] = [await openStore(join(folder, 'store')), await discoverPlugins({ from: [folder, root] })];
  const children: WorkerProcess[] = [];
  const workers: RunningWorker[] = [];
  lasts(async () => {
    for (const one of children) one.signalAll('SIGKILL');
    await Promise.all(children.map(({ ended }) => ended));
    for (const worker of workers) worker.shutdown();
    await Promise.all(workers.map(({ done }) => done));
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  const place: Place = {
    ...{ folder, store, plugins, client, settings, env },
    async worker(more = {}) {
      const worker = await startWorker({
        settings,
        store,
        plugins,
        outDir: folder,
        ...more,
        env: { ...env, ...more.env },
      });
      workers.push(worker);
      return worker;
    },
    async workerProcess({ env: more = {}, args = [] } = {}) {
      const started = startProcess(folder, ['worker', ...args], { ...env, ...more });
      children.push(started);
      await started.until('worker polls');
      return started;
    },
    async submit(yaml, more = {}) {
      const source = { file: 'p.yaml', files: { 'p.yaml': yaml } };
      const request: RunRequest = { name: 'toy', source, baseDir: folder, ...more };
      const plan = compileSource(request, plugins);
      const { workflowId } = await submitRun(client, settings, env, {
        plan,
        request,
        id: `run-${randomBytes(6).toString('hex')}`,
      });
      return workflowId;
    },
    read: (workflowId) => readTemporalRun(client, workflowId),
    async until(workflowId, test) {
      for (;;) {
        const run = await place.read(workflowId);
        if (test(run)) return run;
        if (run.execution !== 'RUNNING')
          throw new Error(`ended: ${run.execution} ${JSON.stringify(run.view?.state?.error)}`);
        await sleep(100);
      }
    },
    ended: async (workflowId) => {
      for (;;) {
        const { status } = await client.workflow.getHandle(workflowId).describe();
        if (status.name !== 'RUNNING') return place.read(workflowId);
        await sleep(100);
      }
    },
  };
  return place;
}

/** The `hourglass` command as a process. */
export function startProcess(cwd: string, args: string[], env: Record<string, string | undefined>): WorkerProcess {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      for (const watch of watchers) watch();
    });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  void ended.then(() => {
    for (const watch of watchers) watch();
  });
  return {
    child,
    output: () => text,
    ended,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) resolve();
          else if (child.exitCode === null && child.signalCode === null) return;
          else reject(new Error(`ended before ${String(wanted)} came:\n${text}`));
          watchers.delete(watch);
        };
        watchers.add(watch);
        watch();
      }),
    signalAll(signal) {
      try {
        process.kill(-child.pid!, signal);
      } catch {
        // Gone.
      }
    },
  };
}

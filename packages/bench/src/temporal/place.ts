import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDevServer } from '@hourglass/activities';
import { connectClient, submitRun, temporalSettings, waitForEnd } from '@hourglass/activities/client';
import { compile, formatDiagnostics, HourglassError } from '@hourglass/core';
import { discoverPlugins } from '@hourglass/runtime';
import type { RunRequest } from '@hourglass/workflows';
import { startChild, type Child } from './child.ts';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
export const COMMAND = join(ROOT, 'packages/cli/bin/hourglass.mjs');

export interface Ran {
  /** Seconds from its start to its end, by the server's clock. */
  seconds: number;
  status: string;
  /** Of all its histories. */
  events: number;
  histories: number;
  /** Of the histories as JSON, in kB. */
  kB: number;
}

/** A server in memory, a worker of ours with the idle plugin, and a client. */
export async function temporalPlace(log: (message: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(
    fileURLToPath(new URL('../../fixtures/plugin-idle', import.meta.url)),
    join(folder, 'node_modules/hourglass-plugin-idle'),
  );
  const server = await startDevServer({ env: process.env, headless: true, say: log });
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: server.address,
    HOURGLASS_HOME: join(folder, 'store'),
    HOURGLASS_TASK_QUEUE: 'bench',
    // Slots of its own: other runs on this machine are not to be waited for, only to be competed with.
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
  const settings = temporalSettings(env);
  const { client, close } = await connectClient(settings, env);
  const plugins = await discoverPlugins({ from: [folder, ROOT] });
  const children: Child[] = [];
  const child = async (args: string[]): Promise<Child> => {
    const started = await startChild(args, { cwd: folder, env, ready: 'worker polls' });
    children.push(started);
    return started;
  };
  const part = async (workflowId: string, runId: string) => {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { startTime, closeTime, status } = await handle.describe();
    const { events } = await handle.fetchHistory();
    return { seconds: (closeTime!.getTime() - startTime.getTime()) / 1000, status: status.name, events: events! };
  };
  const measured = async (workflowId: string, firstRunId: string): Promise<Ran> => {
    await waitForEnd(client, workflowId);
    const ran: Ran = { seconds: 0, status: '', events: 0, histories: 0, kB: 0 };
    let runId: string | undefined = firstRunId;
    for (; runId !== undefined; ran.histories++) {
      const one = await part(workflowId, runId);
      ran.seconds += one.seconds;
      ran.status = one.status;
      ran.events += one.events.length;
      ran.kB += Math.round(JSON.stringify(one.events).length / 1000);
      runId = one.events.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
    }
    return ran;
  };
  return {
    ...{ folder, client, env, child },
    /** One of the workflows of `raw-workflows.ts`. */
    async raw(workflow: 'sequential' | 'parallel', count: number, taskQueue = 'raw'): Promise<Ran> {
      const workflowId = `raw-${randomBytes(6).toString('hex')}`;
      const handle = await client.workflow.start(workflow, { taskQueue, workflowId, args: [count] });
      return measured(workflowId, handle.firstExecutionRunId);
    },
    async run(text: string, params: RunRequest['params'] = {}): Promise<Ran> {
      const { plan, diagnostics } = compile({ text, file: 'bench.yaml' }, plugins.registry);
      if (!plan) throw new HourglassError('INTERNAL', formatDiagnostics(diagnostics));
      const request: RunRequest = {
        ...{ name: plan.name, source: { file: 'bench.yaml', files: { 'bench.yaml': text } }, baseDir: folder, params },
      };
      const id = `ours-${randomBytes(6).toString('hex')}`;
      const { workflowId, runId } = await submitRun(client, settings, env, { plan, request, id });
      return measured(workflowId, runId);
    },
    async close(): Promise<void> {
      await Promise.all(children.map((one) => one.stop()));
      await close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { makeWorkspace, toyPipeline, type Started, type Workspace } from './support/workspace.ts';

let at: Workspace;
let env: Record<string, string>;

beforeAll(() => {
  at = makeWorkspace();
  env = {
    HOME: process.env['HOME']!,
    HOURGLASS_HOME: `${at.dir}/store`,
    HOURGLASS_TASK_QUEUE: `test-${randomBytes(4).toString('hex')}`,
  };
});
afterAll(() => at.remove());

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Starts a command that is ended with the test, whatever happens. */
function start(argv: string[], more: Record<string, string> = {}): Started {
  const started = at.start(argv, { ...env, ...more });
  onTestFinished(() => {
    if (isThere(started)) process.kill(-started.child.pid!, 'SIGKILL');
  });
  return started;
}

/** Whether any process of its group lives. */
function isThere({ child }: Started): boolean {
  try {
    return process.kill(-child.pid!, 0);
  } catch {
    return false;
  }
}

describe('dev', () => {
  it('serves, shows and runs with one command; Ctrl-C ends all of it, and what ran is there the next time', async () => {
    const [port, uiPort] = [await freePort(), await freePort()];
    const argv = ['dev', '--port', String(port), '--ui-port', String(uiPort)];
    const address = { TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
    const first = start(argv);
    await first.until('worker polls');
    expect(first.seen()).toContain(`UI http://127.0.0.1:${uiPort}`);
    expect(await (await fetch(`http://127.0.0.1:${uiPort}/`)).text()).toContain('<html');
    const file = at.write('p.yaml', toyPipeline('  a: { uses: toy/work }\n'));
    const submitted = await at.call(['submit', file, '--id', 'one', '--wait'], { env: { ...env, ...address } });
    expect(submitted).toMatchObject({ code: 0 });

    // As a terminal does: to the server and the stage processes as well.
    process.kill(-first.child.pid!, 'SIGINT');
    await first.ended;
    expect(isThere(first)).toBe(false);
    await expect(fetch(`http://127.0.0.1:${uiPort}/`)).rejects.toThrow();

    const second = start(argv);
    await second.until('worker polls');
    const { out } = await at.call(['status', 'one', '--json'], { env: { ...env, ...address } });
    expect(JSON.parse(out)).toMatchObject({ execution: 'COMPLETED' });
    process.kill(-second.child.pid!, 'SIGINT');
    await second.ended;
  });
});

describe('worker', () => {
  it('says at /healthz that it polls, and tells Prometheus of what it does', async () => {
    const [health, metrics] = [await freePort(), await freePort()];
    const address = { TEMPORAL_ADDRESS: inject('temporal') };
    const worker = start(
      ['worker', '--queues', 'cpu,gpu', '--health', `127.0.0.1:${health}`, '--metrics', `127.0.0.1:${metrics}`],
      address,
    );
    await worker.until('worker polls');
    const answer = await fetch(`http://127.0.0.1:${health}/healthz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok', workers: ['RUNNING', 'RUNNING'] });
    const file = at.write('q.yaml', toyPipeline('  a: { uses: toy/work }\n'));
    const id = `counted-${randomBytes(4).toString('hex')}`;
    const submitted = await at.call(['submit', file, '--id', id, '--wait'], { env: { ...env, ...address } });
    expect(submitted).toMatchObject({ code: 0 });
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    expect(text).toMatch(/temporal_workflow_completed\S*\{[^}]*\} 1/);
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });
});

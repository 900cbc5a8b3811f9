import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listens } from '@hourglass/activities/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Started, type Workspace } from './support/workspace.ts';

let at: Workspace;
let ports: [number, number];
let env: Record<string, string>;
let started: Started[];

beforeEach(async () => {
  at = makeWorkspace();
  ports = [await freePort(), await freePort()];
  env = {
    HOME: process.env['HOME']!,
    HOURGLASS_TASK_QUEUE: `dev-${randomBytes(4).toString('hex')}`,
    HOURGLASS_HOME: `${at.dir}/store`,
    TEMPORAL_ADDRESS: address(),
  };
  started = [];
});
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  await gone();
  at.remove();
});

const address = (): string => `127.0.0.1:${ports[0]}`;

async function freePort(): Promise<number> {
  const server = await occupied(0);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function occupied(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });
}

function start(port: number, uiPort: number): Started {
  const one = at.start(['dev', '--port', String(port), '--ui-port', String(uiPort)], env);
  started.push(one);
  return one;
}

async function dev(): Promise<Started> {
  const one = start(...ports);
  await one.until('Ctrl-C stops all');
  return one;
}

/** What a terminal does: every process of the group gets it. */
const ctrlC = ({ child }: Started): void => void process.kill(-child.pid!, 'SIGINT');

async function gone(): Promise<void> {
  while (await listens(address(), 1000)) await sleep(50);
}

describe('dev', () => {
  it('hands stages back at Ctrl-C before its server ends: no attempt is counted', async () => {
    const first = await dev();
    const stage = '{ uses: toy/work, with: { steps: 60, delay: 50 }, retry: { maxAttempts: 1 } }';
    const file = at.write('p.yaml', toyPipeline(`  train: ${stage}\n`));
    expect(await at.call(['submit', file, '--id', 'again'], { env })).toMatchObject({ code: 0 });
    await first.until('train: toy/work');
    ctrlC(first);
    const { code, out, err } = await first.ended;
    expect(code, err).toBe(0);
    expect(err).toMatch(/train shuts down; another continues from the checkpoint/);
    expect(out).not.toContain('done');
    await gone();
    const second = await dev();
    expect((await at.call(['watch', 'again', '--plain'], { env })).code).toBe(0);
    expect(second.seen()).not.toContain('attempt 2');
  });

  it('ends at once at the second Ctrl-C, and leaves no server behind; nor when it is killed', async () => {
    const twice = await dev();
    const file = at.write('p.yaml', toyPipeline('  train: { uses: toy/work, with: { steps: 9, delay: 5000 } }\n'));
    await at.call(['submit', file, '--id', 'long'], { env });
    await twice.until('train: toy/work');
    ctrlC(twice);
    await sleep(500);
    ctrlC(twice);
    expect((await twice.ended).code).toBe(130);
    await gone();
    const killed = await dev();
    killed.child.kill('SIGKILL');
    await killed.ended;
    await gone();
  });

  it('refuses a port that is in use, and a database that another one serves, before anything starts', async () => {
    const there = await occupied(ports[0]);
    const busy = start(...ports);
    const { code, out, err } = await busy.ended;
    there.close();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(`--port: port ${ports[0]} is in use. Choose another`);
    const first = await dev();
    const second = start(await freePort(), await freePort());
    const refused = await second.ended;
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain(`dev.db is served already, by \`hourglass dev\` with the process ${first.child.pid}`);
  });

  it('fails when its server ends by itself', async () => {
    const one = await dev();
    const server = execFileSync('pgrep', ['-P', String(one.child.pid), '-f', 'start-dev']).toString();
    process.kill(Number(server), 'SIGKILL');
    const { code, err } = await one.ended;
    expect({ code, err }).toMatchObject({ code: 1 });
    expect(err).toContain('the Temporal server ended by itself');
    // The dead one's lock is in nobody's way.
    await dev();
  });
});

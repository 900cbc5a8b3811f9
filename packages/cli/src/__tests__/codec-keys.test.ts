import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeWorkspace, toyPipeline, type Called, type Started, type Workspace } from './support/workspace.ts';

const own = randomBytes(4).toString('hex');
const [key, other] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const id = `coded-${own}`;
let at: Workspace;
let worker: Started;
let file: string;

const environment = (keys: string): Record<string, string> => ({
  HOME: process.env['HOME']!,
  TEMPORAL_ADDRESS: inject('temporal'),
  HOURGLASS_TASK_QUEUE: `test-${own}`,
  HOURGLASS_HOME: `${at.dir}/store`,
  HOURGLASS_CODEC_KEY: keys,
});
const call = (keys: string, ...argv: string[]): Promise<Called> => at.call(argv, { env: environment(keys) });
const startWorker = async (keys: string): Promise<void> => {
  worker = at.start(['worker'], environment(keys));
  await worker.until('worker polls');
};
const stopWorker = async (): Promise<void> => {
  worker.child.kill('SIGTERM');
  await worker.ended;
};

beforeAll(async () => {
  at = makeWorkspace();
  file = at.write('p.yaml', toyPipeline('  a: { uses: toy/work, with: { steps: 9999, delay: 20 } }\n'));
  await startWorker(key);
});
afterAll(async () => {
  await stopWorker();
  at.remove();
});

describe('HOURGLASS_CODEC_KEY that differs between worker and client', () => {
  it.each([
    ['is not set here', '', /the worker encrypts with the key \w{12}, HOURGLASS_CODEC_KEY is not set here/],
    ['is another', other, /the worker's HOURGLASS_CODEC_KEY holds \w{12}, the one here \w{12}/],
    ['is another by its first', `${other},${key}`, /each must hold the first of the other/],
  ])('is named by submit, which starts nothing: it %s', async (_, keys, message) => {
    const { code, out, err } = await call(keys, 'submit', file, '--id', id);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect((await call(key, 'status', id)).err).toMatch(/No run/);
  });

  it('is named by status of a run that cannot be read here', async () => {
    expect((await call(`${key},${other}`, 'submit', file, '--id', id)).code).toBe(0);
    const { code, err } = await call('', 'status', id);
    expect(code).toBe(2);
    expect(err).toMatch(
      /CALL_INVALID A payload is encrypted with the key \w{12}, and HOURGLASS_CODEC_KEY is not set for/,
    );
  });

  it('is named of a run that its workers cannot read any more, which is ended by force', async () => {
    await stopWorker();
    await startWorker('');
    const stuck = /its workflow tasks fail on the workers \(attempt \d+\): A payload is encrypted with the key/;
    while (!stuck.test((await call(key, 'status', id)).err)) await sleep(200);
    const asked = await call(key, 'cancel', id);
    expect(asked.err).toMatch(stuck);
    expect(asked.err).toMatch(`or end it: hourglass cancel ${id} --force`);
    expect((await call(key, 'cancel', id, 'a', '--force')).err).toMatch(/--force ends a whole run/);
    expect((await call(key, 'cancel', id, '--force', '--by', 'ada')).out).toMatch(/ended by force \(ada\)\. Lost: /);
    const runs = JSON.parse((await call(key, 'status', '--json', '-n', '1000')).out) as { workflowId: string }[];
    expect(runs.find(({ workflowId }) => workflowId === id)).toMatchObject({ execution: 'TERMINATED' });
  });
});

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDevServer } from '../server/dev-server.ts';
import { freePort } from '../server/ports.ts';
import type { TemporalRun } from '../client/run-handle.ts';
import { pluginSet } from './support/other-build.ts';
import { makePlace, type Place } from './support/place.ts';

const yaml = (stages: string): string => `hourglass: v1\nname: toy\nseed: 7\nstages:\n${stages}`;

const TRAINING = yaml(
  `  train: { uses: toy/train, with: { steps: 60, sleepMs: 50 }, timeout: { heartbeat: 3s }, retry: { maxAttempts: 3 } }\n`,
);

const digestOf = ({ view }: TemporalRun, stage = 'train'): string =>
  (view!.state!.stages[stage]!.outputs!['model'] as { digest: string }).digest;

/** What the same training gives when nothing happens to it: in a store of its own. */
async function undisturbed(): Promise<string> {
  const place = await makePlace();
  await place.worker();
  const run = await place.ended(await place.submit(TRAINING));
  expect(run.execution).toBe('COMPLETED');
  return digestOf(run);
}

const underWay = (place: Place, id: string): Promise<TemporalRun> =>
  place.until(id, ({ progress }) => progress.some(({ message }) => /step (1|2)\d\//.test(message)));

describe('a training survives', () => {
  test('kill -9 of its worker: another goes on from the checkpoint, to the same bytes', async () => {
    const place = await makePlace();
    const first = await place.workerProcess();
    const id = await place.submit(TRAINING);
    await underWay(place, id);
    first.signalAll('SIGKILL');
    const second = await place.workerProcess();
    const run = await place.ended(id);
    expect(run.execution).toBe('COMPLETED');
    expect(second.output()).toMatch(/train: toy\/train, attempt 2/);
    expect(second.output()).toMatch(/continuing at step (1|2|3)\d/);
    expect(digestOf(run)).toBe(await undisturbed());
  });

  test('SIGTERM of its worker: it saves, is given back, and goes on elsewhere without an attempt being counted', async () => {
    const place = await makePlace();
    const first = await place.workerProcess();
    const id = await place.submit(TRAINING.replace('maxAttempts: 3', 'maxAttempts: 1'));
    await underWay(place, id);
    const asked = Date.now();
    process.kill(first.child.pid!, 'SIGTERM');
    await first.ended;
    expect(first.child.exitCode).toBe(0);
    console.info(`the worker left ${Date.now() - asked} ms after SIGTERM`);
    const second = await place.workerProcess();
    const run = await place.ended(id);
    expect(run.execution).toBe('COMPLETED');
    expect(second.output()).toMatch(/continuing at step (1|2|3)\d/);
    expect(second.output()).not.toContain('attempt 2');
  });

  test('kill -9 of the server: it is started again on its database, and the run completes', async () => {
    const port = await freePort();
    const folder = join((await makePlace()).folder, 'server');
    const options = { env: process.env, port, headless: true, databaseFile: join(folder, 'dev.db') };
    let server = await startDevServer(options);
    onTestFinished(() => server.stop());
    const place = await makePlace({ address: server.address });
    await place.workerProcess();
    const id = await place.submit(TRAINING);
    await underWay(place, id);
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    server = await startDevServer(options);
    const run = await place.ended(id);
    expect(run.execution).toBe('COMPLETED');
  });

  test('a worker that is frozen, then goes on: the result of its successor stands', async () => {
    const place = await makePlace();
    const first = await place.workerProcess();
    // A frozen worker still has polls open on the server, so that it may be given an attempt of its successor.
    const id = await place.submit(TRAINING.replace('maxAttempts: 3', 'maxAttempts: 6'));
    await underWay(place, id);
    first.signalAll('SIGSTOP');
    const second = await place.workerProcess();
    const run = await place.ended(id);
    expect(run.execution).toBe('COMPLETED');
    first.signalAll('SIGCONT');
    // The zombie finds out that it is one: its checkpoint is refused, or its heartbeat answered so.
    await first.until(/CANCELLED|superseded|done|CRASHED/);
    const again = await place.ended(await place.submit(TRAINING.replace('maxAttempts: 3', 'maxAttempts: 6')));
    expect(again.view!.state!.stages['train']!.cache).toBe('hit');
    expect(digestOf(again)).toBe(digestOf(run));
    expect(second.output()).toMatch(/attempt \d/);
  });
});

describe('a stage that goes wrong', () => {
  const once = `retry: { maxAttempts: 2 }`;
  test.each([
    ['hangs', `uses: toy/misbehave, with: { how: hang }, timeout: { heartbeat: 1s }, ${once}`, 'STAGE_HUNG', 2],
    ['outgrows its memory', `uses: toy/misbehave, with: { how: grow }, ${once}`, 'OUT_OF_MEMORY', 2],
    ['crashes', `uses: toy/misbehave, with: { how: exit }, ${once}`, 'STAGE_CRASHED', 2],
    ['crashes in native code', `uses: toy/misbehave, with: { how: abort }, ${once}`, 'STAGE_CRASHED', 2],
    ['breaks its own contract', `uses: toy/misbehave, with: { how: bad-metrics }, ${once}`, 'OUTPUT_INVALID', 1],
    [
      'gives more than 2 MiB',
      `uses: toy/big, with: { count: 400000 }, gate: 'metrics.values.exists(x, x < 0.0)', ${once}`,
      'RESULT_TOO_LARGE',
      1,
    ],
  ])('%s: the failure says so, and is tried no more often than the plan says', async (_, stage, code, attempts) => {
    const place = await makePlace();
    await place.worker();
    const id = await place.submit(yaml(`  bad: { ${stage} }\n  good: { uses: toy/emit }\n`));
    const { execution, view, failure } = await place.ended(id);
    expect(execution).toBe('FAILED');
    expect(failure).toMatchObject({ code });
    // The other's result is there.
    expect(view!.state!.stages['good']!.status).toBe('done');
    const history = await place.client.workflow.getHandle(id).fetchHistory();
    const started = history.events!.filter(({ activityTaskStartedEventAttributes: a }) => a?.attempt === attempts);
    expect(started.length).toBeGreaterThan(0);
  });

  test('is unknown to an old worker, or of another version there: it fails at once and says what to do', async () => {
    const place = await makePlace();
    const text = yaml(`  a: { uses: toy/emit }\n`);
    // The plan is compiled by this build; the stage is taken by a worker of another.
    await place.worker({ plugins: pluginSet(place.plugins, 'other-version') });
    const run = await place.ended(await place.submit(text));
    expect(run.failure).toMatchObject({ code: 'PLUGIN_INVALID' });
    expect(run.failure!.message).toMatch(/version 1.*version 2/);

    const other = await makePlace();
    await other.worker({ plugins: pluginSet(other.plugins, 'without-stage') });
    const failed = await other.ended(await other.submit(text));
    expect(failed.failure).toMatchObject({ code: 'STAGE_NOT_FOUND' });
    expect(failed.failure!.message).toMatch(/does not have this stage/);
  });
});

/** A history with what is base64 in it decoded. */
async function readable(place: Place, workflowId: string): Promise<string> {
  const text = String(historyToJSON(await place.client.workflow.getHandle(workflowId).fetchHistory()));
  const decoded = [...text.matchAll(/"data":\s*"([^"]+)"/g)].map(([, data]) =>
    Buffer.from(data!, 'base64').toString('latin1'),
  );
  return [text, ...decoded].join('\n');
}

test('with a codec key nothing of ours can be read in the history, and the run is the same', async () => {
  const secrets = ['toy/misbehave, with', 'the sky is green'];
  const text = yaml(`  a: { uses: toy/misbehave, with: { how: throw }, retry: { maxAttempts: 1 } }\n`);
  for (const key of [undefined, randomBytes(32).toString('base64')]) {
    const place = await makePlace({ env: key === undefined ? {} : { HOURGLASS_CODEC_KEY: key } });
    await place.worker();
    const { failure, workflowId } = await place.ended(await place.submit(text));
    expect(failure!.message).toContain('the sky is green');
    const seen = await readable(place, workflowId);
    for (const secret of secrets)
      if (key === undefined) expect(seen).toContain(secret);
      else expect(seen).not.toContain(secret);
  }
});

test('hundreds of partitions, three of which always fail: within the budget or not, and over several histories', async () => {
  const place = await makePlace();
  await place.worker();
  const count = Number(process.env['HOURGLASS_TEST_PARTITIONS'] ?? 120);
  const stages = (budget: number): string =>
    yaml(`  parts: { uses: toy/parts, with: { count: ${count} } }
  each:
    uses: toy/pass
    forEach: { in: '\${{ stages.parts.data }}', as: part, maxParallel: 16, failureBudget: ${budget} }
    with: { data: '\${{ part }}', fail: 'p3,p5,p7' }
    retry: { maxAttempts: 1 }
`);
  const within = await place.ended(await place.submit(stages(3), { maxHistory: 300 }));
  expect(within.execution).toBe('COMPLETED');
  const { data } = within.view!.state!.stages['each']!.outputs as unknown as {
    data: { missing: string[]; rows: number };
  };
  expect(data.missing).toEqual(['p3', 'p5', 'p7']);
  const over = await place.ended(await place.submit(stages(2)));
  expect(over.execution).toBe('FAILED');
  const { fan } = over.view!.state!.stages['each']!;
  expect({ done: fan!.done, failed: fan!.failed }).toEqual({ done: count - 3, failed: 3 });
  // The others were found, not computed again.
  const history = await place.client.workflow.getHandle(over.workflowId).fetchHistory();
  expect(history.events!.filter((event) => event.activityTaskScheduledEventAttributes)).toHaveLength(3);
});

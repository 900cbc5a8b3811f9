import type { Json } from '@hourglass/core';
import { describe, expect, test } from 'vitest';
import { cancelTemporalRun, tellRun } from '../client/run-handle.ts';
import { submitRun } from '../client/submit-run.ts';
import { compileSource } from '../worker/store-activities.ts';
import { makePlace } from './support/place.ts';

const yaml = (stages: string): string => `hourglass: v1\nname: toy\nseed: 7\nstages:\n${stages}`;
const by = 'ada';

describe('people', () => {
  test('approve and reject: who and why is kept, and what does not fit is refused', async () => {
    const place = await makePlace();
    await place.worker();
    const id = await place.submit(
      yaml(`  a: { uses: toy/emit, with: { value: 1 }, approve: { message: 'good enough?' } }
  b: { uses: toy/emit, needs: [a], with: { value: 2 }, approve: {} }
`),
    );
    await place.until(id, ({ view }) => view?.state?.stages['a']?.status === 'approval');
    await expect(tellRun(place.client, id, 'approve', { stage: 'b', by })).rejects.toMatchObject({ code: 'RUN_STATE' });
    await expect(tellRun(place.client, id, 'approve', { stage: 'nope', by })).rejects.toThrow(/no stage `nope`/);
    await tellRun(place.client, id, 'approve', { stage: 'a', by, reason: 'looks right' });
    await place.until(id, ({ view }) => view?.state?.stages['b']?.status === 'approval');
    await tellRun(place.client, id, 'reject', { stage: 'b', by, reason: 'no' });
    const { execution, view, failure } = await place.ended(id);
    expect(execution).toBe('FAILED');
    expect(view!.state!.stages['a']!.decision).toEqual({ approved: true, by, reason: 'looks right' });
    expect(failure).toMatchObject({ code: 'APPROVAL_REJECTED' });
    await expect(tellRun(place.client, id, 'pause', { by })).rejects.toMatchObject({ code: 'RUN_STATE' });
  });

  test('a stage that failed is held open, and tried again with other options', async () => {
    const place = await makePlace();
    await place.worker();
    const id = await place.submit(
      yaml(`  parts: { uses: toy/parts }
  one: { uses: toy/pass, with: { data: '\${{ stages.parts.data }}', fail: p0 }, onFailure: { wait: 1h }, retry: { maxAttempts: 1 } }
  other: { uses: toy/pass, with: { data: '\${{ stages.parts.data }}', fail: p0 }, onFailure: { wait: 1h }, retry: { maxAttempts: 1 } }
`),
    );
    const held = await place.until(id, ({ view }) =>
      ['one', 'other'].every((stage) => view?.state?.stages[stage]?.status === 'held'),
    );
    expect(held.view!.state!.stages['one']!.error!.message).toContain('part p0 is bad');
    // The Temporal UI sends what a person typed: it is held against the plugin's own declaration.
    const retry = (options: Record<string, Json>) =>
      tellRun(place.client, id, 'retryStage', { stage: 'one', options, by });
    await expect(retry({ foo: 1 })).rejects.toMatchObject({
      code: 'CALL_INVALID',
      message: expect.stringMatching(/one\.foo: toy\/pass has no option foo/) as string,
    });
    await expect(retry({ fail: 1 })).rejects.toThrow(/one\.fail: .*found 1/);
    await expect(retry('fail' as never)).rejects.toThrow(/expected "options": \{"NAME": VALUE\}, found "fail"/);
    const refused = await place.until(id, () => true);
    expect(refused.view!.state!.stages['one']).toEqual(held.view!.state!.stages['one']);
    await retry({ fail: '' });
    await tellRun(place.client, id, 'skipStage', { stage: 'other', by });
    const { execution, view } = await place.ended(id);
    expect(execution).toBe('COMPLETED');
    expect(view!.state!.stages).toMatchObject({ one: { status: 'done' }, other: { status: 'skipped' } });
  });

  test('a pause lets nothing further start; cancelling stops what runs and keeps its checkpoint', async () => {
    const place = await makePlace();
    await place.worker();
    const id = await place.submit(
      yaml(`  first: { uses: toy/train, with: { steps: 40, sleepMs: 50 }, timeout: { heartbeat: 5s } }
  second: { uses: toy/train, with: { steps: 100000, sleepMs: 20, model: '\${{ stages.first.model }}' }, timeout: { heartbeat: 5s } }
`),
    );
    await place.until(id, ({ progress }) => progress.length > 0);
    await tellRun(place.client, id, 'pause', { by });
    await expect(tellRun(place.client, id, 'pause', { by })).rejects.toThrow(/paused already/);
    const paused = await place.until(id, ({ view }) => view?.state?.stages['first']?.status === 'done');
    expect(paused.view!.state!.stages['second']!.body?.status).toMatch(/lookup|ready/);
    expect(await tellRun(place.client, id, 'resume', { by })).toEqual({ status: 'running' });
    await place.until(id, ({ progress }) =>
      progress.some(({ path, message }) => path === 'second' && /step \d/.test(message)),
    );
    await cancelTemporalRun(place.client, id);
    const { execution, view } = await place.ended(id);
    expect(execution).toBe('CANCELLED');
    expect(view!.state!.stages).toMatchObject({ first: { status: 'done' }, second: { status: 'cancelled' } });
    const kept: string[] = [];
    for await (const { key } of place.store.driver.list('checkpoints')) kept.push(key);
    expect(kept.some((key) => key.endsWith('.ckpt'))).toBe(true);
  });

  test('submit refuses a second run of the same id, and what nobody polls', async () => {
    const place = await makePlace();
    const { client, settings, env, plugins, folder } = place;
    const text = yaml(`  a: { uses: toy/train, with: { steps: 100000 } }\n`);
    const source = { file: 'p.yaml', files: { 'p.yaml': text } };
    const request = { name: 'toy', source, baseDir: folder };
    const plan = compileSource(request, plugins);
    const id = `twice-${settings.taskQueue}`;
    await expect(submitRun(client, settings, env, { plan, request, id })).rejects.toThrow(/No worker polls the queue/);
    await place.worker();
    await submitRun(client, settings, env, { plan, request, id });
    await expect(submitRun(client, settings, env, { plan, request, id })).rejects.toThrow(/is under way already/);
    await cancelTemporalRun(client, id);
    await place.ended(id);

    const wanting = {
      ...request,
      source: {
        file: 'p.yaml',
        files: { 'p.yaml': text.replace('toy/train,', 'toy/train, resources: { accelerator: required },') },
      },
    };
    await expect(
      submitRun(client, settings, env, { plan: compileSource(wanting, plugins), request: wanting, id }),
    ).rejects.toThrow(/`a` must run on the queue "test-.*-gpu", which no worker polls.*--queues gpu/);
  });
});

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectClient, temporalSettings } from '@hourglass/activities/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeWorkspace, type Started, type Workspace } from './support/workspace.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the Temporal server that all tests of this run share. */
    temporal: string;
  }
}

/** Schedules are per namespace: a name of this test's own. */
const name = `nightly_${randomBytes(4).toString('hex')}`;

const file = (changes: { cron?: string; steps?: number; more?: string } = {}): string => `hourglass: v1
name: ${name}
title: Counting by night
params: { steps: { type: integer, default: 2 } }
schedule: { cron: '${changes.cron ?? '30 0 * * *'}', timezone: Europe/Berlin, catchupWindow: 6h, params: { steps: ${changes.steps ?? 3} } }
stages:
  count: { uses: toy/work, with: { steps: '\${{ params.steps }}', warn: '\${{ run.partition }}' } }
${changes.more ?? ''}`;

let at: Workspace;
let worker: Started;
let env: Record<string, string>;

const call = async (...argv: string[]) => at.call(argv, { env });
const json = async <T>(...argv: string[]): Promise<T> => {
  const { code, out, err } = await call(...argv, '--json');
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as T;
};

beforeAll(async () => {
  at = makeWorkspace({ 'nightly.yaml': file(), 'none.yaml': file().replace(/schedule:.*\n/, '') });
  env = {
    HOME: process.env['HOME']!,
    TEMPORAL_ADDRESS: inject('temporal'),
    HOURGLASS_TASK_QUEUE: `test-${name}`,
    HOURGLASS_HOME: `${at.dir}/store`,
  };
  worker = at.start(['worker'], env);
  await worker.until('worker polls');
});

afterAll(async () => {
  await call('schedule', 'delete', name);
  worker.child.kill('SIGTERM');
  await worker.ended;
  at.remove();
});

describe('schedule apply', () => {
  it('creates, changes nothing the second time, and says what a changed file changes', async () => {
    const dry = await call('schedule', 'apply', 'nightly.yaml', '--dry-run');
    expect(dry.out).toMatch(/would be created/);
    const first = await call('schedule', 'apply', 'nightly.yaml');
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(/created · next \d{4}-\d\d-\d\d 00:30 Europe\/Berlin/);
    const again = await call('schedule', 'apply', 'nightly.yaml');
    expect(again.out).toMatch(/unchanged/);
    at.write('nightly.yaml', `# a remark\n${file()}`);
    expect((await call('schedule', 'apply', 'nightly.yaml')).out).toMatch(/unchanged/);

    at.write('nightly.yaml', file({ cron: '0 3 1 * MON', steps: 5, more: '  more: { uses: toy/work }\n' }));
    const changed = await json<{ how: string; changes: unknown[] }>('schedule', 'apply', 'nightly.yaml');
    expect(changed.how).toBe('updated');
    expect(changed.changes).toEqual([
      { what: 'cron', from: '30 0 * * *', to: '0 3 1 * MON' },
      { what: 'params.steps', from: 3, to: 5 },
      { what: 'stages.more', to: { uses: 'toy/work' } },
    ]);
    // Either the first of the month or a Monday, as cron has it.
    const { next } = await json<{ next: string[] }>('schedule', 'describe', name);
    const days = next.map((time) => new Date(time));
    expect(days.some((day) => day.getUTCDay() === 1 && day.getUTCDate() !== 1)).toBe(true);
    expect(days.every((day) => day.getUTCDay() === 1 || day.getUTCDate() === 1)).toBe(true);
    expect((await call('schedule', 'apply', 'nightly.yaml')).out).toMatch(/unchanged/);
    at.write('nightly.yaml', file());
    expect((await call('schedule', 'apply', 'nightly.yaml')).out).toMatch(/cron +0 3 1 \* MON +→ +30 0/);
  });

  it('puts right what somebody changed on the server', async () => {
    const { client, close } = await connectClient(temporalSettings(env), env);
    await client.schedule.getHandle(name).update((now) => ({
      ...now,
      spec: { cronExpressions: ['15 4 * * 1,3 # 30 0 * * *'], timezone: 'UTC' },
      action: { ...now.action, args: [{ ...(now.action.args![0] as object), report: false }] },
    }));
    await close();
    const { changes } = await json<{ changes: unknown[] }>('schedule', 'apply', 'nightly.yaml');
    expect(changes).toEqual([
      { what: 'cron', from: '15 4 * * 1,3', to: '30 0 * * *' },
      { what: 'timezone', from: 'UTC', to: 'Europe/Berlin' },
      { what: 'report', from: false, to: true },
    ]);
    expect((await call('schedule', 'apply', 'nightly.yaml')).out).toMatch(/unchanged/);
  });

  it('keeps a pause, and refuses a file without a schedule', async () => {
    expect((await call('schedule', 'pause', name, '--reason', 'holidays', '--by', 'ada')).code).toBe(0);
    expect((await call('schedule', 'apply', 'nightly.yaml')).out).toMatch(/unchanged · paused/);
    expect((await call('schedule', 'describe', name)).out).toMatch(/paused: holidays \(ada\)/);
    expect((await call('schedule', 'resume', name)).code).toBe(0);
    const none = await call('schedule', 'apply', 'nightly.yaml', 'none.yaml');
    expect(none.code).toBe(2);
    expect(none.err).toMatch(/none\.yaml has no schedule; nothing was applied/);
    const unknown = await call('schedule', 'trigger', 'nobody');
    expect(unknown.err).toMatch(/No schedule "nobody"[^]*schedule apply/);
  });
});

interface Status {
  view: { state: { status: string; run: { partition: string; scheduledAt: string }; params: object } };
  execution: string;
}

describe('schedule backfill', () => {
  it('runs every time once, each for the day it was meant for where the schedule is at home', async () => {
    // Half past midnight in Berlin is the day before in UTC.
    const dashed = name.replaceAll('_', '-');
    const range = ['--from', '2026-03-01T23:30:00Z', '--to', '2026-03-03T23:30:00Z'];
    const { times } = await json<{ times: string[] }>('schedule', 'backfill', dashed, ...range);
    expect(times).toEqual(['2026-03-01T23:30:00.000Z', '2026-03-02T23:30:00.000Z', '2026-03-03T23:30:00.000Z']);
    const ids = times.map((time) => `${name}-${time.replace('.000', '')}`);
    for (const [i, id] of ids.entries()) {
      let run: Status | undefined;
      while (run?.execution !== 'COMPLETED') {
        await sleep(300);
        run = await json<Status>('status', id).catch(() => undefined);
      }
      const { partition, scheduledAt } = run.view.state.run;
      expect({ partition, scheduledAt }).toEqual({ partition: `2026-03-0${i + 2}`, scheduledAt: times[i] });
      expect(run.view.state.params).toEqual({ steps: 3 });
    }
    const none = await call('schedule', 'backfill', name, '--from', '2026-03-01', '--to', '2026-03-01T01:00Z');
    expect(none.err).toMatch(/has no time from/);
    const wrong = await call('schedule', 'backfill', name, '--from', 'soon', '--to', '2026-03-01');
    expect(wrong.err).toMatch(/--from: expected a time/);
  });

  it('trigger runs it now; list shows it', async () => {
    const { workflowId } = await json<{ workflowId: string }>('schedule', 'trigger', name);
    expect(workflowId).toMatch(new RegExp(`^${name}-`));
    const listed = await json<{ name: string; cron: string; timezone: string }[]>('schedule', 'list');
    expect(listed.find((one) => one.name === name)).toMatchObject({ cron: '30 0 * * *', timezone: 'Europe/Berlin' });
  });
});

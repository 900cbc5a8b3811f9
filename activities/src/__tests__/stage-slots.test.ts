import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SlotPermit } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { stageSlots } from '../worker/stage-slots.ts';
import { makePlace } from './support/place.ts';

describe('a worker of two cores takes from the server', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const asked = {
    slotType: 'activity',
    taskQueue: 'q',
    workerIdentity: 'w',
    workerBuildId: '',
    isSticky: false,
  } as const;
  const slotInfo = { type: 'activity', activityType: 'toy/emit' } as const;

  function worker() {
    const { supplier, crowded } = stageSlots(2, 3);
    const take = (): SlotPermit | null => supplier.tryReserveSlot(asked);
    const takeAll = (): SlotPermit[] => {
      const all: SlotPermit[] = [];
      for (let one = take(); one !== null; one = take()) all.push(one);
      return all;
    };
    const begin = (permit: SlotPermit): void => supplier.markSlotUsed({ slotInfo, permit });
    const end = (permit: SlotPermit): void => supplier.releaseSlot({ slotInfo, permit });
    return { supplier, crowded, take, takeAll, begin, end };
  }

  test('one stage a core until one was soon done, then three more ahead', () => {
    const { takeAll, begin, end } = worker();
    const first = takeAll();
    expect(first).toHaveLength(2);
    begin(first[0]!);
    vi.advanceTimersByTime(100);
    end(first[0]!);
    expect(takeAll()).toHaveLength(4);
  });

  test('nothing ahead after a long stage, nor because a poll came back empty', () => {
    const { takeAll, begin, end } = worker();
    const [long, poll] = takeAll();
    begin(long!);
    vi.advanceTimersByTime(60_000);
    end(long!);
    end(poll!);
    expect(takeAll()).toHaveLength(2);
  });

  test('nothing more while one runs for long, and says that those beyond the cores are better off elsewhere', () => {
    const { take, takeAll, begin, end, crowded } = worker();
    const [quick] = takeAll();
    begin(quick!);
    end(quick!);
    const held = takeAll();
    expect(held).toHaveLength(4);
    begin(held[0]!);
    expect(crowded()).toBe(false);
    vi.advanceTimersByTime(2000);
    expect(crowded()).toBe(true);
    for (const one of held.slice(1)) end(one);
    expect(crowded()).toBe(false);
    expect(take()).not.toBeNull();
    expect(take()).toBeNull();
  });

  test('polls that wait get the next place in order, and one that is called off gets none', async () => {
    const { supplier, takeAll, begin, end } = worker();
    const held = takeAll();
    const off = new AbortController();
    const called = supplier.reserveSlot(asked, off.signal);
    const patient = supplier.reserveSlot(asked, new AbortController().signal);
    off.abort(new Error('the worker stops'));
    await expect(called).rejects.toThrow('the worker stops');
    begin(held[0]!);
    vi.advanceTimersByTime(5000);
    end(held[0]!);
    expect(await patient).toBeDefined();
    expect(takeAll()).toHaveLength(0);
  });
});

test('a training that was taken ahead behind another is given to a worker that comes and has a core', async () => {
  const place = await makePlace();
  // Machines of one core each; here, however busy this one is, the parts count as short.
  vi.stubEnv('HOURGLASS_SLOTS', '1');
  onTestFinished(() => void vi.unstubAllEnvs());
  await place.worker({ quickMs: 60_000 });
  const train = (path: string): string =>
    `  ${path}: { uses: toy/train, needs: [each], with: { steps: 160, sleepMs: 50 }, retry: { maxAttempts: 1 } }\n`;
  const text = `hourglass: v1
name: toy
seed: 7
stages:
  parts: { uses: toy/parts, with: { count: 12 } }
  each:
    uses: toy/pass
    forEach: { in: '\${{ stages.parts.data }}', as: part, maxParallel: 2 }
    with: { data: '\${{ part }}' }
${train('one')}${train('two')}`;
  const id = await place.submit(text);
  /** What became of trainings that the workers gave back. */
  const givenBack = async (): Promise<string[]> => {
    const { events } = await place.client.workflow.getHandle(id).fetchHistory();
    const trainings = events!.filter(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'toy/train',
    );
    return events!.flatMap(({ activityTaskFailedEventAttributes: failed }) =>
      trainings.some(({ eventId }) => String(eventId) === String(failed?.scheduledEventId))
        ? [failed!.failure!.message!]
        : [],
    );
  };
  while ((await givenBack()).length === 0) await sleep(200);
  const cache = join(place.folder, 'second');
  mkdirSync(cache);
  const second = await place.workerProcess({ env: { HOURGLASS_SLOTS: '1', XDG_CACHE_HOME: cache } });
  const { execution, failure } = await place.ended(id);
  expect(failure).toBeUndefined();
  expect(execution).toBe('COMPLETED');
  expect(second.output()).toMatch(/(one|two): toy\/train/);
  expect(await givenBack()).toEqual([expect.stringMatching(/has no core for it; another takes it/)]);
});

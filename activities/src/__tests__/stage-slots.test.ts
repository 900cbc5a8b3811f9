import { expect, test } from 'vitest';
import { stageSlots } from '../worker/stage-slots.ts';

type Slots = ReturnType<typeof stageSlots>;
const context = {
  slotType: 'activity' as const,
  taskQueue: 'q',
  workerIdentity: 'w',
  workerBuildId: 'b',
  isSticky: false,
};
const slotInfo = { type: 'activity' as const, activityType: 'data/ingest' };

/** A poll for a slot that may have to wait. */
function poll(slots: Slots, signal = new AbortController().signal) {
  const state: { permit?: object } = {};
  const done = slots.reserveSlot(context, signal).then((permit) => (state.permit = permit));
  done.catch(() => undefined);
  return { state, done };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('with a poll under way a slot is left for the stage that follows at once, and never one more than there are', async () => {
  const slots = stageSlots(2);
  const first = poll(slots);
  const second = poll(slots);
  await settle();
  expect(first.state.permit).toBeDefined();
  expect(second.state.permit).toBeUndefined();
  const eager = slots.tryReserveSlot(context);
  expect(eager).not.toBeNull();
  expect(slots.tryReserveSlot(context)).toBeNull();
  // The poll is answered: both slots are at work, nobody polls.
  slots.markSlotUsed({ slotInfo, permit: first.state.permit! });
  slots.markSlotUsed({ slotInfo, permit: eager! });
  await settle();
  expect(second.state.permit).toBeUndefined();
  slots.releaseSlot({ slotInfo, permit: eager! });
  await settle();
  expect(second.state.permit).toBeDefined();
  expect(slots.tryReserveSlot(context)).toBeNull();
});

test('both slots are filled by polls when stages come from elsewhere', async () => {
  const slots = stageSlots(2);
  const [first, second] = [poll(slots), poll(slots)];
  await settle();
  slots.markSlotUsed({ slotInfo, permit: first.state.permit! });
  await settle();
  expect(second.state.permit).toBeDefined();
});

test('one slot: it polls; a poll that ends without work gives it back', async () => {
  const slots = stageSlots(1);
  const [first, second] = [poll(slots), poll(slots)];
  await settle();
  expect(slots.tryReserveSlot(context)).toBeNull();
  slots.releaseSlot({ permit: first.state.permit! });
  await settle();
  expect(second.state.permit).toBeDefined();
});

test('one that no longer wants a slot leaves the queue', async () => {
  const slots = stageSlots(1);
  const first = poll(slots);
  const controller = new AbortController();
  const gone = poll(slots, controller.signal);
  const last = poll(slots);
  controller.abort(new Error('no longer needed'));
  await expect(gone.done).rejects.toThrow('no longer needed');
  await settle();
  slots.releaseSlot({ permit: first.state.permit! });
  await settle();
  expect(last.state.permit).toBeDefined();
});

test('says how many slots have no stage: one that only polls has none', async () => {
  const free: number[] = [];
  const slots = stageSlots(2, (count) => free.push(count));
  const first = poll(slots);
  await settle();
  expect(free.at(-1)).toBe(2);
  slots.markSlotUsed({ slotInfo, permit: first.state.permit! });
  expect(free.at(-1)).toBe(1);
  slots.markSlotUsed({ slotInfo, permit: slots.tryReserveSlot(context)! });
  expect(free.at(-1)).toBe(0);
  slots.releaseSlot({ slotInfo, permit: first.state.permit! });
  expect(free.at(-1)).toBe(1);
});

import { Runtime, type ActivitySlotInfo, type CustomSlotSupplier, type WorkerTuner } from '@temporalio/worker';

/** Temporal's own defaults for what is not a stage. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;

/** So many stages at once on one queue; all else as Temporal has it. */
export function stageTuner(count: number, taskQueue: string): WorkerTuner {
  // The SDK's own metric of free slots is of fixed slots only.
  const free = Runtime.instance().metricMeter.createGauge(
    'hourglass_stage_slots_available',
    'int',
    'slots',
    'Stages that this worker could begin now',
  );
  return {
    workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: WORKFLOW_TASKS },
    activityTaskSlotSupplier: stageSlots(count, (slots) => free.set(slots, { task_queue: taskQueue })),
    localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: LOCAL_ACTIVITIES },
    nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: LOCAL_ACTIVITIES },
  };
}

interface Permit {
  /** Waits for the server's answer to a poll. */
  polls: boolean;
}

/**
 * A fixed number of slots, not all of which wait in polls: with a free one at hand the next stage of a run comes in the answer
 * to the workflow task before it, a whole round over the server earlier. Fixed slots of the SDK are all taken by polls.
 * @param sayFree told how many have no stage, at first and whenever that changes
 */
export function stageSlots(
  count: number,
  sayFree: (slots: number) => void = () => undefined,
): CustomSlotSupplier<ActivitySlotInfo> {
  const mostPolls = Math.max(1, count >> 1);
  const held = new Set<Permit>();
  const waiting: ((permit: Permit) => void)[] = [];
  const polling = (): number => [...held].filter(({ polls }) => polls).length;
  const take = (polls: boolean): Permit => {
    const permit = { polls };
    held.add(permit);
    return permit;
  };
  const serve = (): void => {
    while (waiting.length > 0 && held.size < count && polling() < mostPolls) waiting.shift()!(take(true));
    sayFree(count - held.size + polling());
  };
  return {
    type: 'custom',
    reserveSlot: (_, signal) =>
      new Promise<Permit>((resolve, reject) => {
        const give = (permit: Permit): void => {
          signal.removeEventListener('abort', leave);
          resolve(permit);
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(give), 1);
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', leave);
        waiting.push(give);
        serve();
      }),
    tryReserveSlot: () => (held.size < count ? take(false) : null),
    markSlotUsed({ permit }) {
      (permit as Permit).polls = false;
      serve();
    },
    releaseSlot({ permit }) {
      held.delete(permit as Permit);
      serve();
    },
  };
}

import type { ActivitySlotInfo, CustomSlotSupplier, WorkerTuner } from '@temporalio/worker';

/** Temporal's own defaults for what is not a stage. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;

/** So many stages at once on one queue; all else as Temporal has it. */
export function stageTuner(count: number): WorkerTuner {
  return {
    workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: WORKFLOW_TASKS },
    activityTaskSlotSupplier: stageSlots(count),
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
 */
export function stageSlots(count: number): CustomSlotSupplier<ActivitySlotInfo> {
  const mostPolls = Math.max(1, count >> 1);
  let [held, polling] = [0, 0];
  const waiting: ((permit: Permit) => void)[] = [];
  const serve = (): void => {
    while (waiting.length > 0 && held < count && polling < mostPolls) {
      held++;
      polling++;
      waiting.shift()!({ polls: true });
    }
  };
  const pollEnds = (permit: Permit): void => {
    if (!permit.polls) return;
    permit.polls = false;
    polling--;
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
    tryReserveSlot() {
      if (held >= count) return null;
      held++;
      return { polls: false } satisfies Permit;
    },
    markSlotUsed({ permit }) {
      pollEnds(permit as Permit);
      serve();
    },
    releaseSlot({ permit }) {
      pollEnds(permit as Permit);
      held--;
      serve();
    },
  };
}

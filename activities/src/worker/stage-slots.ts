import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from '@temporalio/worker';

export interface StageSlots {
  supplier: CustomSlotSupplier<ActivitySlotInfo>;
  /** Stages are held here beyond the cores, and those that run are long: what has not begun is better off elsewhere. */
  crowded(): boolean;
}

interface Permit extends SlotPermit {
  /** Milliseconds since the epoch; undefined while a poll holds it. */
  usedAt?: number;
  timer?: NodeJS.Timeout;
  long?: boolean;
}

/** A stage that runs for so long is worth another worker's core. */
const LONG_MS = 1000;
/** Taken and done, waiting included: while that is so, others may wait behind it. */
const QUICK_MS = 250;

/**
 * Which stages a worker takes from the server. One a core; while stages prove to be short, a few more ahead, so that the
 * next is there when a core is free and a stage may come along with the answer to its workflow. As soon as one runs for
 * long none is taken ahead: it would wait here while another worker is idle.
 */
export function stageSlots(cores: number, ahead: number, quickMs = QUICK_MS): StageSlots {
  const waiting: { give(permit: Permit): void }[] = [];
  let issued = 0;
  let long = 0;
  /** The last stage that ended was soon done. */
  let quick = false;

  const hasRoom = (): boolean => issued < cores + (quick && long === 0 ? ahead : 0);
  const issue = (): Permit => {
    issued++;
    return {};
  };
  const serve = (): void => {
    while (waiting.length > 0 && hasRoom()) waiting.shift()!.give(issue());
  };

  return {
    crowded: () => long > 0 && issued > cores,
    supplier: {
      type: 'custom',
      reserveSlot: (_, signal) =>
        new Promise((resolve, reject) => {
          if (hasRoom()) return resolve(issue());
          const waiter = { give: resolve };
          waiting.push(waiter);
          signal.addEventListener('abort', () => {
            const at = waiting.indexOf(waiter);
            if (at >= 0) waiting.splice(at, 1);
            reject(signal.reason as Error);
          });
        }),
      tryReserveSlot: () => (waiting.length === 0 && hasRoom() ? issue() : null),
      markSlotUsed({ permit }: { permit: Permit }) {
        permit.usedAt = Date.now();
        permit.timer = setTimeout(() => {
          permit.long = true;
          long++;
        }, LONG_MS);
      },
      releaseSlot({ permit }: { permit: Permit }) {
        issued--;
        clearTimeout(permit.timer);
        if (permit.long) long--;
        // A poll that found nothing says nothing.
        if (permit.usedAt !== undefined) quick = Date.now() - permit.usedAt < quickMs;
        serve();
      },
    },
  };
}

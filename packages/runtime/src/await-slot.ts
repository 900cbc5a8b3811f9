import type { RunOptions } from './runner.ts';
import type { Slot, Slots } from './slots.ts';

/** How long nothing of a run computes before it says why. */
const SAY_WAITING_AFTER_MS = 2000;

/**
 * Waits for a slot of the machine. When other programs hold all of them, a person should know why nothing happens.
 * @param options.idle whether nothing of this run computes meanwhile
 */
export function awaitSlot(
  slots: Slots,
  path: string,
  {
    idle,
    signal,
    urgent,
    onLog,
  }: { idle(): boolean; signal?: AbortSignal; urgent?: boolean; onLog?: RunOptions['onLog'] },
): Promise<Slot> {
  const timer = setTimeout(() => {
    const message = `waiting for other runs on this machine: all ${slots.count} slots (HOURGLASS_SLOTS) are taken`;
    if (idle()) onLog?.({ path, level: 'info', message });
  }, SAY_WAITING_AFTER_MS);
  return slots.acquire(signal, { urgent }).finally(() => clearTimeout(timer));
}

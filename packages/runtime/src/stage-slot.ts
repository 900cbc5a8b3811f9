import type { Slot, Slots } from './slots.ts';

/** The slot of a running stage: given back while the stage waits for its items, taken again before it goes on. */
export interface StageSlot {
  /** Aborted when the stage has ended: nothing may be started for it any more. */
  readonly ended: AbortSignal;
  pause(): void;
  resume(): Promise<void>;
  end(): void;
}

export function stageSlot(slots: Slots, first: Slot): StageSlot {
  const ending = new AbortController();
  let slot: Slot | undefined = first;
  let pauses = 0;
  return {
    ended: ending.signal,
    pause() {
      if (++pauses > 1) return;
      slot?.release();
      slot = undefined;
    },
    async resume() {
      if (--pauses > 0 || ending.signal.aborted) return;
      // Rejects when the stage ends meanwhile; then nobody waits for the answer either.
      const taken = await slots.acquire(ending.signal, { urgent: true });
      if (pauses > 0 || ending.signal.aborted) taken.release();
      else slot = taken;
    },
    end() {
      ending.abort(new Error('the stage has ended'));
      slot?.release();
      slot = undefined;
    },
  };
}

import type { Store } from '@hourglass/artifacts';
import type { StageResult } from '@hourglass/core';
import type { PreparedTask } from './prepare-task.ts';

export type Found =
  | { status: 'hit'; result: StageResult }
  /** `reason`: there is a record, but it no longer holds and must be replaced; none: no record. */
  | { status: 'miss'; reason?: string };

/** Looks for a recorded result and honours it only if the bytes of all outputs and the destinations are as recorded. */
export async function findResult(prepared: PreparedTask, store: Store): Promise<Found> {
  const record = await store.cache.get(prepared.key);
  if (record === undefined) return { status: 'miss' };
  for (const [name, ref] of Object.entries(record.result.outputs)) {
    const verified = await store.artifacts.verify(ref);
    if (verified.ok) continue;
    const reason =
      verified.problem === 'missing'
        ? `artifact of output ${name} is no longer in the store: computed again`
        : `artifact bytes of output ${name} were changed on disk: computed again`;
    return { status: 'miss', reason };
  }
  for (const [uri, path] of prepared.sinks) {
    const recorded = record.result.sinks?.[uri];
    const found = await store.digestOfDestination(path);
    if (found !== undefined && found === recorded) continue;
    return { status: 'miss', reason: `${uri} was ${found === undefined ? 'deleted' : 'edited'}` };
  }
  return { status: 'hit', result: record.result };
}

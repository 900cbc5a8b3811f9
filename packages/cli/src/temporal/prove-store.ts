import { randomUUID } from 'node:crypto';
import type { Store } from '@hourglass/artifacts';
import type { RunRequest } from '@hourglass/workflows';

/**
 * Puts something into the submitter's store that no other store holds, by which a worker sees whether its store is that one.
 * What a pipeline says would not do: it may have been submitted to both. Nothing refers to it: `hourglass artifacts gc`
 * takes it away.
 */
export async function proveStore({ artifacts, location }: Store): Promise<RunRequest['proof']> {
  const { digest } = await artifacts.putBlob(new TextEncoder().encode(randomUUID()));
  return { digest, store: location };
}

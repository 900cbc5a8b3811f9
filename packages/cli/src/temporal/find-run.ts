import type { Store } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { readRun, type RunRecord } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import type { TemporalFlags } from './with-client.ts';

/**
 * A run by its id: of this machine, else on the server. With `--address` or `--namespace` only the server is asked.
 * @returns the record of a run here; undefined for one on the server
 * @throws RUN_NOT_FOUND, naming both places where both were looked at
 */
export async function findRun(
  context: CliContext,
  store: Store,
  run: string,
  flags: TemporalFlags,
): Promise<RunRecord | undefined> {
  if (flags.address ?? flags.namespace) return undefined;
  try {
    return await readRun(store, run);
  } catch (error) {
    if (!(error instanceof HourglassError && error.code === 'RUN_NOT_FOUND')) throw error;
    // Loaded only now: it takes longer to load than a run here takes to find.
    const { expectOnServer } = await import('./expect-on-server.ts');
    await expectOnServer(context, run, flags, error);
    return undefined;
  }
}

import type { CliContext } from '../../context.ts';
import { openStoreFor } from '../../open-store.ts';
import type { ProgramState } from '../../program.ts';
import { followRun } from '../../temporal/follow-run.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

/** `hourglass watch RUN` */
export async function watch(
  context: CliContext,
  state: ProgramState,
  run: string,
  flags: TemporalFlags & { store?: string; plain?: boolean },
): Promise<void> {
  const store = await openStoreFor(context, flags);
  await withClient(context, flags, async (client) => {
    state.exitCode = await followRun(context, client, run, { ...flags, store, again: `hourglass watch ${run}` });
  });
}

import { hasRun, listens, temporalSettings } from '@hourglass/activities/client';
import { HourglassError } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { type TemporalFlags, withClient } from './with-client.ts';

/** A person with runs of this machine only should not wait for a server. */
const PROBE_MS = 1000;

/**
 * Sees that a run that is not of this machine is on the server.
 * @param missing says that it is not here
 * @throws RUN_NOT_FOUND, naming both places where a server answers
 */
export async function expectOnServer(
  context: CliContext,
  run: string,
  flags: TemporalFlags,
  missing: HourglassError,
): Promise<void> {
  const { address, namespace } = temporalSettings(context.env, flags);
  if (!(await listens(address, PROBE_MS))) throw missing;
  if (await withClient(context, flags, (client) => hasRun(client, run))) return;
  throw new HourglassError(
    'RUN_NOT_FOUND',
    `${missing.message} Nor is there one on the Temporal server at ${address} (namespace ${namespace}).`,
    { details: missing.details, remedy: 'Use an id `hourglass runs` or, of the server, `hourglass status` shows.' },
  );
}

import { readTemporalRun, recordOf } from '@hourglass/activities/client';
import type { RunRecord } from '@hourglass/runtime';
import type { CliContext } from '../context.ts';
import { type TemporalFlags, withClient } from './with-client.ts';

/** The record of a run on the server. @throws RUN_NOT_FOUND, RUN_STATE while it is being prepared */
export async function serverRecord(context: CliContext, run: string, flags: TemporalFlags): Promise<RunRecord> {
  return withClient(context, flags, async (client) => recordOf(await readTemporalRun(client, run)));
}

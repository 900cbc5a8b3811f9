import { readTemporalRun } from '@hourglass/activities/client';
import { tell, type TellFlags } from '../commands/temporal/tell.ts';
import type { CliContext } from '../context.ts';
import { isHeld } from '../is-held.ts';
import { withClient } from './with-client.ts';

/** `hourglass approve|reject RUN STAGE` of a run on the server. No to a stage that is held open gives it up. */
export async function decideOnServer(
  context: CliContext,
  decision: 'approve' | 'reject',
  run: string,
  stage: string,
  flags: TellFlags,
): Promise<void> {
  const { view } = await withClient(context, flags, (client) => readTemporalRun(client, run));
  const { state, prepared } = view ?? {};
  const held = state !== undefined && prepared !== undefined && isHeld(prepared.plan, state, stage);
  return tell(context, flags, run, held && decision === 'reject' ? 'cancelStage' : decision, { stage });
}

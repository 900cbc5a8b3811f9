import { cancelTemporalRun, tellRun } from '@hourglass/activities/client';
import type { RunUpdates } from '@hourglass/workflows';
import type { CliContext } from '../../context.ts';
import { currentUser } from '../../current-user.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

export interface TellFlags extends TemporalFlags {
  by?: string;
  reason?: string;
}

const DONE: Record<keyof RunUpdates, string> = {
  pause: 'paused: no further stage is started',
  resume: 'goes on',
  approve: 'approved',
  reject: 'rejected',
  retryStage: 'is tried again',
  skipStage: 'is left out',
  cancelStage: 'is stopped',
};

/** Tells a run on the server something, and says how it stands then. */
export async function tell<K extends keyof RunUpdates>(
  context: CliContext,
  flags: TellFlags,
  run: string,
  what: K,
  said: Omit<RunUpdates[K], 'by' | 'reason'>,
): Promise<void> {
  const by = flags.by ?? currentUser();
  const full = { ...said, by, ...(flags.reason ? { reason: flags.reason } : {}) } as RunUpdates[K];
  const { status } = await withClient(context, flags, (client) => tellRun(client, run, what, full));
  const { stdout, colors: c } = context;
  if (flags.json) {
    stdout.write(`${JSON.stringify({ runId: run, ...full, status })}\n`);
    return;
  }
  const stage = (full as { stage?: string }).stage;
  stdout.write(`${c.green('✓')} ${stage ? `${stage} of ${run}` : run}: ${DONE[what]} (${by}); the run is ${status}\n`);
}

/** `hourglass cancel RUN [STAGE]` */
export async function cancel(
  context: CliContext,
  run: string,
  stage: string | undefined,
  flags: TellFlags,
): Promise<void> {
  if (stage !== undefined) return tell(context, flags, run, 'cancelStage', { stage });
  await withClient(context, flags, (client) => cancelTemporalRun(client, run));
  const { stdout, colors: c } = context;
  if (flags.json) stdout.write(`${JSON.stringify({ runId: run, status: 'cancelling' })}\n`);
  else stdout.write(`${c.green('✓')} ${run}: asked to stop; stages save checkpoints first\n`);
}

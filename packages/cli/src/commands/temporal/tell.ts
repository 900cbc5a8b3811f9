import { cancelTemporalRun, endTemporalRun, tellRun } from '@hourglass/activities/client';
import { HourglassError } from '@hourglass/core';
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
  flags: TellFlags & { force?: boolean },
): Promise<void> {
  if (flags.force) return endByForce(context, run, stage, flags);
  if (stage !== undefined) return tell(context, flags, run, 'cancelStage', { stage });
  const stuck = await withClient(context, flags, (client) => cancelTemporalRun(client, run));
  const { stdout, stderr, colors: c, errorColors: e } = context;
  if (flags.json) stdout.write(`${JSON.stringify({ runId: run, status: 'cancelling', stuck })}\n`);
  else stdout.write(`${c.green('✓')} ${run}: asked to stop; stages save checkpoints first\n`);
  if (stuck !== undefined)
    stderr.write(
      `${e.yellow('warning')} ${run} does not react: ${stuck}. Put that right and it stops, or end it: hourglass cancel ${run} --force\n`,
    );
}

/** For a run that does not react: nobody asks it. */
async function endByForce(
  context: CliContext,
  run: string,
  stage: string | undefined,
  flags: TellFlags,
): Promise<void> {
  if (stage !== undefined)
    throw new HourglassError('CALL_INVALID', `--force ends a whole run; without it ${stage} alone is stopped.`);
  const by = flags.by ?? currentUser();
  await withClient(context, flags, (client) => endTemporalRun(client, run, `hourglass cancel --force (${by})`));
  const { stdout, colors: c } = context;
  if (flags.json) stdout.write(`${JSON.stringify({ runId: run, by, status: 'terminated' })}\n`);
  else
    stdout.write(
      `${c.green('✓')} ${run}: ended by force (${by}). Lost: what its stages did since their last checkpoints, its report and what it would have published.\n` +
        `  What was finished is in the store: submitted again, it is cached\n`,
    );
}

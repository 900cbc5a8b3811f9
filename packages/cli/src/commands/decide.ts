import { type Answer, type RunEvent, refuseEvent } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { currentUser } from '../current-user.ts';
import { leaveAnswer } from '../inbox.ts';
import { openStoreFor } from '../open-store.ts';
import { findRun } from '../temporal/find-run.ts';
import type { TemporalFlags } from '../temporal/with-client.ts';

/** `hourglass approve RUN STAGE`, `hourglass reject RUN STAGE` */
export async function decide(
  context: CliContext,
  decision: 'approve' | 'reject',
  run: string,
  path: string,
  options: TemporalFlags & { store?: string; reason?: string; by?: string },
): Promise<void> {
  const store = await openStoreFor(context, options);
  const record = await findRun(context, store, run, options);
  if (record === undefined)
    return (await import('./temporal/tell.ts')).tell(context, options, run, decision, { stage: path });
  const by = options.by ?? currentUser();
  const answer: Answer = { type: decision, path, by, ...(options.reason ? { reason: options.reason } : {}) };
  const refusal = refuseEvent(record.plan, record.state, { ...answer, at: Date.now() } as RunEvent);
  if (refusal) throw refusal;
  await leaveAnswer(store, record.id, answer);
  const { stdout, colors: c } = context;
  const under = record.status === 'running';
  if (options.json) {
    stdout.write(`${JSON.stringify({ runId: record.id, ...answer, running: under })}\n`);
    return;
  }
  stdout.write(
    `${c.green('✓')} ${path} of ${record.id}: ${decision === 'approve' ? 'approved' : 'rejected'} by ${by}\n`,
  );
  // Nobody drives it now: its next start finds the answer.
  if (!under)
    stdout.write(
      `  ${c.cyan('→')} the run goes on when it is started again: ${record.source?.command ?? `hourglass run ${record.source?.file ?? 'FILE'}, with the options it had`}\n`,
    );
}

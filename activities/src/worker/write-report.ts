import type { Store } from '@hourglass/artifacts';
import { HourglassError, type ErrorJson } from '@hourglass/core';
import { forkModule } from '@hourglass/runtime';
import type { ReportPlace, RunView } from '@hourglass/workflows';
import type { TemporalRun } from '../client/run-handle.ts';

export interface ReportTask {
  /** Of the store. */
  location: string;
  run: Omit<TemporalRun, 'progress'>;
}

export type ReportAnswer = { ok: true; digest: string } | { ok: false; error: ErrorJson };

const EXECUTIONS: Record<string, string> = { succeeded: 'COMPLETED', failed: 'FAILED', cancelled: 'CANCELLED' };
const OUTPUT_TAIL = 2000;

/**
 * Puts the report of a run that has ended into the store. A process of its own draws it: what draws figures is large, and
 * a worker that waits stays small.
 *
 * @throws STAGE_CRASHED when that process dies; what reading the run or writing the report gives
 */
export async function writeReport(
  store: Store,
  view: RunView,
  { id, startedAt }: { id: string; startedAt: string },
): Promise<ReportPlace> {
  const run = {
    workflowId: id,
    execution: EXECUTIONS[view.state!.status] ?? 'RUNNING',
    startedAt,
    closedAt: new Date().toISOString(),
    view,
  };
  const child = forkModule(new URL('./report-process', import.meta.url));
  try {
    const answer = await new Promise<ReportAnswer>((resolve, reject) => {
      let tail = '';
      child.stderr!.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString('utf8')).slice(-OUTPUT_TAIL)));
      child.stdout!.resume();
      child.once('message', (message) => resolve(message as ReportAnswer));
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(
          new HourglassError(
            'STAGE_CRASHED',
            `The report was not drawn (${signal ?? `exit code ${code}`}). ${tail}`.trim(),
          ),
        ),
      );
      child.send({ location: store.location, run } satisfies ReportTask);
    });
    if (!answer.ok) throw HourglassError.fromJSON(answer.error);
    return { digest: answer.digest, store: store.location };
  } finally {
    child.kill();
  }
}

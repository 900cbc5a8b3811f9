import type { Store } from '@hourglass/artifacts';
import { HourglassError, type ErrorJson } from '@hourglass/core';
import { forkModule, type RunRecord } from '@hourglass/runtime';
import type { ReportPlace } from '@hourglass/workflows';
import { viewRecord, type PreparedView } from '../client/run-record.ts';

export interface ReportTask {
  /** Of the store. */
  location: string;
  record: RunRecord;
}

export type ReportAnswer = { ok: true; digest: string } | { ok: false; error: ErrorJson };

const OUTPUT_TAIL = 2000;

/**
 * Puts the report of a run that has ended into the store. A process of its own draws it: what draws figures is large, and
 * a worker that waits stays small.
 *
 * @throws STAGE_CRASHED when that process dies; what reading the run or writing the report gives
 */
export async function writeReport(
  store: Store,
  view: PreparedView,
  { id, startedAt }: { id: string; startedAt: string },
): Promise<ReportPlace> {
  const status = view.state.status as RunRecord['status'];
  const record = viewRecord(view, { id, status, startedAt, finishedAt: new Date().toISOString() });
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
      child.send({ location: store.location, record } satisfies ReportTask);
    });
    if (!answer.ok) throw HourglassError.fromJSON(answer.error);
    return { digest: answer.digest, store: store.location };
  } finally {
    child.kill();
  }
}

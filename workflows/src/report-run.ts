import { proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { ContinuedRun, RunRequest, StoreActivities } from './contract.ts';
import { fromFailure, STORE_RETRY } from './failure.ts';

/** Leaves the report of a run that has ended in the store, and its place in the notes. A report that fails fails no run. */
export async function reportRun(run: ContinuedRun, request: Omit<RunRequest, 'continued'>): Promise<void> {
  const { workflowId, startTime } = workflowInfo();
  const { writeReport } = proxyLocalActivities<Pick<StoreActivities, 'writeReport'>>({
    startToCloseTimeout: '10 minutes',
    retry: STORE_RETRY,
    summary: 'draw the report',
  });
  const { state, notes, ...prepared } = run;
  try {
    const view = { request, prepared, state, notes };
    notes.report = await writeReport(view, { id: workflowId, startedAt: startTime.toISOString() });
  } catch (error) {
    const { message } = fromFailure(error, 'report');
    notes.warnings.push({ path: 'report', message, at: new Date().toISOString() });
  }
}

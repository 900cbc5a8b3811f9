export { readTemporalRun, tellRun, cancelTemporalRun, waitForEnd } from './client/run-handle.ts';
export type { TemporalRun } from './client/run-handle.ts';
export { submitRun, workflowIdOf } from './client/submit-run.ts';
export type { Submission, Submitted } from './client/submit-run.ts';
export { connectClient } from './connection/connect.ts';
export { temporalSettings } from './connection/settings.ts';
export type { TemporalSettings } from './connection/settings.ts';
export { listTemporalRuns } from './client/list-runs.ts';
export type { TemporalRunListing } from './client/list-runs.ts';

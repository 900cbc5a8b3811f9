export { readTemporalRun, tellRun, cancelTemporalRun, waitForEnd } from './client/run-handle.ts';
export type { TemporalRun } from './client/run-handle.ts';
export { submitRun, workflowIdOf } from './client/submit-run.ts';
export type { Submission, Submitted } from './client/submit-run.ts';
export { connectClient } from './connection/connect.ts';
export { temporalSettings } from './connection/settings.ts';
export type { TemporalSettings } from './connection/settings.ts';
export { listTemporalRuns } from './client/list-runs.ts';
export type { TemporalRunListing } from './client/list-runs.ts';
export { hasSearchAttributes } from './client/search-attributes.ts';
export type { ScheduleChange } from './client/schedule-changes.ts';
export {
  applySchedule,
  backfillSchedule,
  deleteSchedule,
  describeSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from './client/schedules.ts';
export type { AppliedSchedule, ScheduleDetails, ScheduleListing } from './client/schedules.ts';
export { addSearchAttributes } from './client/search-attributes.ts';
export type { SearchAttributesAdded } from './client/search-attributes.ts';
export { readHistory } from './client/read-history.ts';
export { carrySources } from './client/carry-sources.ts';
export { startCodecServer } from './connection/codec-server.ts';

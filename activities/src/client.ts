export { carrySources } from './client/carry-sources.ts';
export { listTemporalRuns, type TemporalRunListing } from './client/list-runs.ts';
export { readHistory } from './client/read-history.ts';
export {
  cancelTemporalRun,
  endTemporalRun,
  hasRun,
  readTemporalRun,
  tellRun,
  waitForEnd,
  type TemporalRun,
} from './client/run-handle.ts';
export { recordOf } from './client/run-record.ts';
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
  type AppliedSchedule,
  type ScheduleDetails,
  type ScheduleListing,
} from './client/schedules.ts';
export { addSearchAttributes, hasSearchAttributes, type SearchAttributesAdded } from './client/search-attributes.ts';
export { submitRun, type Submission, type Submitted } from './client/submit-run.ts';
export { startCodecServer } from './connection/codec-server.ts';
export { connectClient } from './connection/connect.ts';
export { listens } from './connection/endpoint.ts';
export { temporalSettings, type TemporalSettings } from './connection/settings.ts';

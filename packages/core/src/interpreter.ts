// What driving a run needs, and nothing that parses files: the part of core that a workflow's sandbox holds.
export { isClosed, refuseEvent } from './advance.ts';
export { drive } from './drive.ts';
export type { Answer, Driven, DriveEffects, DriveOptions, Incoming } from './drive.ts';
export type { ArtifactKind, ArtifactRef } from './artifact.ts';
export { formatDuration } from './duration.ts';
export { ERROR_CODES, HourglassError } from './error.ts';
export type { ErrorCode, ErrorJson } from './error.ts';
export type * from './event.ts';
export { isForced } from './is-forced.ts';
export { itemKeep } from './keep.ts';
export type * from './plan.ts';
export { stagePathOf } from './reduce/path.ts';
export { keepPaths } from './reduce/values.ts';
export { findStagePlan } from './select.ts';
export type { StageResources } from './stage.ts';
export type * from './state.ts';
export type * from './task.ts';

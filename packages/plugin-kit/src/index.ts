export { artifact, definePlugin, defineStage, HourglassError } from '@hourglass/core';
export type { Logger, StageContext, StageRun } from '@hourglass/runtime';

export { artifact, definePlugin, defineStage, HourglassError } from '@hourglass/core';
export type { ItemContext, Logger, ParallelCall, ParallelFunction, StageContext, StageRun } from '@hourglass/runtime';

export { advance, isClosed, refuseEvent } from './advance.ts';
export type { Advanced } from './advance.ts';
export * from './artifact.ts';
export { bind, dayOf } from './bind.ts';
export type { BindOptions } from './bind.ts';
export { expr, firstOf, namedArtifact, pipeline } from './builder.ts';
export type {
  Expr,
  OutputRef,
  PipelineBuilder,
  PipelineSettings,
  StageHandle,
  StageSettings,
  StageWriter,
  With,
} from './builder.ts';
export { canonicalJson } from './canonical-json.ts';
export { compact } from './compact.ts';
export { compile } from './compile.ts';
export type { Compiled, CompileOptions } from './compile.ts';
export type { ReadFile } from './compile/level.ts';
export { formatDiagnostics } from './diagnostic.ts';
export type { Diagnostic } from './diagnostic.ts';
export { describeStage } from './describe-stage.ts';
export type { OptionDescription, PortDescription, StageDescription } from './describe-stage.ts';
export { didYouMean, nearNames } from './did-you-mean.ts';
export { firstNames } from './first-names.ts';
export type { SourceText } from './document.ts';
export { drive } from './drive.ts';
export type { Answer, Driven, DriveEffects, DriveOptions, Incoming } from './drive.ts';
export { formatDuration, parseDuration } from './duration.ts';
export * from './error.ts';
export type * from './event.ts';
export { pipelineJsonSchema } from './json-schema.ts';
export { isForced } from './is-forced.ts';
export { INTERPRETER } from './plan.ts';
export type * from './plan.ts';
export { optionProblem } from './option-problem.ts';
export { parsePath, stagePathOf } from './reduce/path.ts';
export { createRegistry, findStage, stageIds } from './registry.ts';
export type { Registry } from './registry.ts';
export { deriveSeed, murmur3 } from './seed.ts';
export { findStagePlan, stagePaths, withNeeded } from './select.ts';
export { skipStages } from './skip-stages.ts';
export * from './stage.ts';
export type * from './state.ts';
export * from './task.ts';

export * from './artifact.ts';
export { canonicalJson } from './canonical-json.ts';
export { didYouMean, nearNames } from './did-you-mean.ts';
export * from './error.ts';
export * from './stage.ts';
export * from './task.ts';

export * from './artifact.ts';
export * from './error.ts';
export * from './stage.ts';
export * from './task.ts';

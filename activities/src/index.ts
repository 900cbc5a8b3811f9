export { CPU, queueConfig, taskQueueOf } from './connection/queues.ts';
export { temporalSettings } from './connection/settings.ts';
export type { TemporalSettings } from './connection/settings.ts';
export { startDevServer } from './server/dev-server.ts';
export type { DevServer } from './server/dev-server.ts';
export { startWorker } from './worker/run-worker.ts';
export type { RunningWorker, RunWorkerOptions } from './worker/run-worker.ts';
export { workflowBundle } from './worker/workflow-bundle.ts';

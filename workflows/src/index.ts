export * from './contract.ts';
export { fromFailure, NON_RETRYABLE, toFailure, YIELDED } from './failure.ts';
export { queueOf } from './queues.ts';
export type { QueueRule, Queues } from './queues.ts';

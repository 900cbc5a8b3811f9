import type { StagePlan, StageTask } from '@hourglass/core/interpreter';
import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import { NON_RETRYABLE } from './failure.ts';
import { queueOf, type Queues } from './queues.ts';

/** A worker that is not heard of for so long is taken for dead. */
const LIVENESS_MS = 30_000;
/** The stage's process is stopped in order at `timeout.attempt`; Temporal's own limit comes after. */
const STOP_MS = 30_000;
const NO_LIMIT_MS = 30 * 86_400_000;
/**
 * With fewer stages under way the next may come in the answer to the workflow task. Many keep all slots busy by polls anyway, and the
 * SDK (1.24) hangs when a supplier of slots is asked more than 128 times in one workflow task.
 */
const EAGER_AT_MOST = 8;

/**
 * How Temporal runs one stage: everything from the plan, the queue from the deployment.
 * @param underWay stages of this run that were asked for and have not ended
 */
export function activityOptions(
  task: StageTask,
  stage: StagePlan,
  queues: Queues,
  summary: string,
  underWay: number,
): ActivityOptions {
  const { attempt, heartbeat } = task.timeout;
  const checkpoints = task.resources.checkpoint === true;
  return {
    taskQueue: queueOf(task.resources, queues),
    summary,
    allowEagerDispatch: underWay < EAGER_AT_MOST,
    startToCloseTimeout: attempt === undefined ? NO_LIMIT_MS : attempt + STOP_MS,
    heartbeatTimeout: Math.min(LIVENESS_MS, heartbeat ?? LIVENESS_MS),
    retry: {
      maximumAttempts: stage.retry.maxAttempts,
      initialInterval: stage.retry.initialInterval,
      backoffCoefficient: stage.retry.coefficient,
      maximumInterval: stage.retry.maxInterval,
      nonRetryableErrorTypes: NON_RETRYABLE,
    },
    // A training is asked to save its state, and waited for.
    cancellationType: checkpoints
      ? ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
      : ActivityCancellationType.TRY_CANCEL,
    // Short stages before long ones: nobody waits for a minute's work behind a night's.
    priority: { priorityKey: checkpoints ? 4 : 3 },
  };
}

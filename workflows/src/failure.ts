import { ERROR_CODES, HourglassError, type ErrorCode, type ErrorJson } from '@hourglass/core/interpreter';
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TimeoutFailure,
  type RetryPolicy,
} from '@temporalio/workflow';

/** Type of the failure of a stage that its worker gave back at shutdown: continued elsewhere, no attempt is counted. */
export const YIELDED = 'WORKER_SHUTDOWN';

/** Types of failures that trying again cannot mend. */
export const NON_RETRYABLE: string[] = [
  ...Object.entries(ERROR_CODES)
    .filter(([, { retryable }]) => !retryable)
    .map(([code]) => code),
  // The worker has no activity of this type.
  'NotFoundError',
  YIELDED,
];

/** Retries of short work on the store: what may pass is tried again for a while, mistakes never. */
export const STORE_RETRY: RetryPolicy = {
  maximumAttempts: 5,
  initialInterval: 200,
  maximumInterval: 5000,
  nonRetryableErrorTypes: NON_RETRYABLE,
};

/** Our error as a failure of Temporal: its type is the code, its details hold the rest. */
export function toFailure(error: ErrorJson, nonRetryable = !ERROR_CODES[error.code].retryable): ApplicationFailure {
  return ApplicationFailure.create({ type: error.code, message: error.message, nonRetryable, details: [error] });
}

/** What a failed activity says, as our error. */
export function fromFailure(failure: unknown, what: string): ErrorJson {
  if (isCancellation(failure)) return json('CANCELLED', `\`${what}\` was cancelled.`);
  const cause = failure instanceof ActivityFailure ? failure.cause : failure;
  if (cause instanceof ApplicationFailure) return fromApplicationFailure(cause, what);
  if (cause instanceof TimeoutFailure)
    return cause.timeoutType === 'HEARTBEAT'
      ? json(
          'STAGE_CRASHED',
          `\`${what}\`: its worker was not heard of any more: it died, or lost the network. Run again; checkpoints and finished stages are kept.`,
        )
      : json('STAGE_TIMEOUT', `\`${what}\` took longer than its timeout (${cause.timeoutType}).`);
  return json('INTERNAL', `\`${what}\`: ${cause instanceof Error ? cause.message : String(cause)}`);
}

function fromApplicationFailure(failure: ApplicationFailure, what: string): ErrorJson {
  const [details] = failure.details ?? [];
  if (isErrorJson(details)) return details;
  if (failure.type === 'NotFoundError')
    return json(
      'STAGE_NOT_FOUND',
      `\`${what}\`: the worker that took it does not have this stage: it is an older one, or its plugin is not installed there. ${failure.message}`,
    );
  const code = failure.type && Object.hasOwn(ERROR_CODES, failure.type) ? failure.type : 'STAGE_FAILED';
  return json(code as ErrorCode, `\`${what}\`: ${failure.message}`);
}

function isErrorJson(value: unknown): value is ErrorJson {
  const { code, message } = (value ?? {}) as Partial<ErrorJson>;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) && typeof message === 'string';
}

function json(code: ErrorCode, message: string): ErrorJson {
  return new HourglassError(code, message).toJSON();
}

import { HourglassError, type ErrorCode, type ErrorJson, type ProgressEvent } from '@hourglass/core';
import { fromFailure, QUERIES, type RunUpdates, type RunView } from '@hourglass/workflows';
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { BeatDetails } from '../worker/heartbeats.ts';
import { reasonOf } from './reason.ts';
import { stuckTask } from './stuck-task.ts';

/** One run on the server, as the command line sees it. */
export interface TemporalRun {
  workflowId: string;
  /** Of Temporal: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT, … */
  execution: string;
  startedAt: string;
  closedAt?: string;
  /** What stages under way say by their heartbeats. */
  progress: (ProgressEvent & { attempt: number; lastFailure?: string; details?: BeatDetails })[];
  /** Without a state until the run is prepared. */
  view?: RunView;
  /** Why it failed, where it is closed and failed. */
  failure?: ErrorJson;
}

const GRPC_NOT_FOUND = 5;
const GRPC_DEADLINE = 4;

/** Reads a run. @throws RUN_NOT_FOUND; RUN_STATE when it is stuck; CALL_INVALID when no worker can answer for it */
export async function readTemporalRun(client: Client, workflowId: string): Promise<TemporalRun> {
  const handle = client.workflow.getHandle(workflowId);
  const description = await found(workflowId, handle.describe());
  const view = await answered(client, workflowId, handle.query<RunView>(QUERIES.run));
  const progress = await Promise.all(
    (description.raw.pendingActivities ?? []).map(async (activity) => {
      const [details] = (await decodeArrayFromPayloads(
        client.options.loadedDataConverter,
        activity.heartbeatDetails?.payloads,
      )) as [BeatDetails?];
      const fraction = details?.progress === undefined ? undefined : Number.parseFloat(details.progress) / 100;
      return {
        path: pathOf(view, activity.activityType?.name ?? '', details),
        ...(fraction === undefined ? {} : { fraction }),
        message: details?.message ?? (details ? 'running' : 'waits for a worker'),
        ...(details?.metrics ? { metrics: details.metrics } : {}),
        attempt: activity.attempt ?? 1,
        ...(activity.lastFailure?.message ? { lastFailure: activity.lastFailure.message } : {}),
        ...(details ? { details } : {}),
      };
    }),
  );
  const failure = description.status.name === 'FAILED' ? await failureOf(handle, workflowId) : undefined;
  return {
    workflowId,
    execution: description.status.name,
    startedAt: description.startTime.toISOString(),
    ...(description.closeTime ? { closedAt: description.closeTime.toISOString() } : {}),
    progress,
    ...(view ? { view } : {}),
    ...(failure ? { failure } : {}),
  };
}

/** Tells a run something. @throws RUN_NOT_FOUND; RUN_STATE when it does not fit the run now */
export async function tellRun<K extends keyof RunUpdates>(
  client: Client,
  workflowId: string,
  what: K,
  said: RunUpdates[K],
): Promise<{ status: string }> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await found(workflowId, handle.executeUpdate<{ status: string }, [RunUpdates[K]]>(what, { args: [said] }));
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) {
      const failure = fromFailure(error.cause, what);
      throw HourglassError.fromJSON(
        failure.code === 'RUN_STATE' ? { ...failure, remedy: seeStatus(workflowId) } : failure,
      );
    }
    throw error;
  }
}

/** Whether the server has a run of this id. @throws CALL_INVALID, with its reason, when it does not say */
export async function hasRun(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw refusal(
      'CALL_INVALID',
      `The Temporal server does not say whether it has a run "${workflowId}": ${reasonOf(error)}`,
      error,
    );
  }
}

/** Asks a run to stop; stages save checkpoints. @returns why it cannot hear that, where it is stuck */
export async function cancelTemporalRun(client: Client, workflowId: string): Promise<string | undefined> {
  const handle = client.workflow.getHandle(workflowId);
  await found(workflowId, handle.cancel());
  return stuckTask(client, await handle.describe());
}

/** Ends a run on the server, which is not asked: nothing of it runs any more, its workflow included. */
export async function endTemporalRun(client: Client, workflowId: string, reason: string): Promise<void> {
  await found(workflowId, client.workflow.getHandle(workflowId).terminate(reason));
}

/** Waits for the end of a run. Its failure is its state, and no error here. */
export async function waitForEnd(client: Client, workflowId: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}

async function failureOf(handle: { result(): Promise<unknown> }, what: string): Promise<ErrorJson | undefined> {
  try {
    await handle.result();
    return undefined;
  } catch (error) {
    return fromFailure(error instanceof WorkflowFailedError ? error.cause : error, what);
  }
}

function pathOf(view: RunView | undefined, type: string, details: BeatDetails | undefined): string {
  if (details?.path !== undefined) return details.path;
  const stage = view?.prepared?.plan.stages.find(({ uses }) => uses === type);
  return stage?.id ?? type;
}

export async function found<T>(workflowId: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError && /already completed/.test(error.message))
      throw refusal(
        'RUN_STATE',
        `Run ${workflowId} has ended; nothing can be changed any more.`,
        error,
        seeStatus(workflowId),
      );
    if (error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND))
      throw refusal(
        'RUN_NOT_FOUND',
        `No run "${workflowId}" on the server.`,
        error,
        'Use an id `hourglass status` shows.',
      );
    throw error;
  }
}

async function answered(client: Client, workflowId: string, query: Promise<RunView>): Promise<RunView | undefined> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return undefined;
    if (!(error instanceof ServiceError || isGrpcServiceError(error))) throw error;
    const stuck = await stuckTask(client, await found(workflowId, client.workflow.getHandle(workflowId).describe()));
    if (stuck !== undefined)
      throw refusal(
        'RUN_STATE',
        `Run ${workflowId} does not move: ${stuck}. Put that right and it goes on, or end it: hourglass cancel ${workflowId} --force`,
        error,
      );
    const { code } = (error instanceof ServiceError ? error.cause : error) as { code?: unknown };
    if (Number(code) === GRPC_DEADLINE)
      throw refusal('CALL_INVALID', `No worker answers for run ${workflowId}. Start one: hourglass worker`, error);
    throw refusal('CALL_INVALID', `The server has no answer for run ${workflowId}: ${reasonOf(error)}`, error);
  }
}

const seeStatus = (workflowId: string): string => `See \`hourglass status ${workflowId}\`.`;

function refusal(code: ErrorCode, message: string, cause: unknown, remedy?: string): HourglassError {
  return new HourglassError(code, message, { cause, remedy });
}

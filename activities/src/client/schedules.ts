import { setTimeout as sleep } from 'node:timers/promises';
import { HourglassError } from '@hourglass/core';
import { PIPELINE_WORKFLOW } from '@hourglass/workflows';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client';
import { reasonOf } from './reason.ts';
import { cronOf, overlapName, scheduleChanges, type ScheduleChange } from './schedule-changes.ts';
import { OVERLAP, scheduleOptions, type WantedSchedule } from './schedule-request.ts';

export interface AppliedSchedule {
  name: string;
  how: 'created' | 'updated' | 'unchanged';
  changes: ScheduleChange[];
  /** ISO 8601. */
  next: string[];
  paused: boolean;
}

/** A schedule on the server. Times are ISO 8601. */
export interface ScheduleListing {
  name: string;
  cron: string;
  timezone: string;
  paused: boolean;
  note?: string;
  next: string[];
  /** Newest first. */
  recent: { workflowId: string; scheduledAt: string }[];
}

export interface ScheduleDetails extends ScheduleListing {
  overlap: string;
  /** Milliseconds. */
  catchupWindow: number;
  params: Record<string, unknown>;
  taskQueue: string;
  running: string[];
  taken: number;
  /** Times that passed while the server was away for longer than the catch-up window. */
  missed: number;
  /** Times at which the run before was still going. */
  skipped: number;
}

/**
 * Makes the server's schedule what the file says; whether it is paused stays as it is. Applying the same again changes
 * nothing.
 * @param dryRun says what would change
 * @throws CALL_INVALID when the file has no schedule
 */
export async function applySchedule(client: Client, wanted: WantedSchedule, dryRun = false): Promise<AppliedSchedule> {
  const { name } = wanted.plan;
  const options = scheduleOptions(wanted);
  const handle = client.schedule.getHandle(name);
  for (;;) {
    const now = await describeOr(handle);
    const result = async (how: AppliedSchedule['how'], changes: ScheduleChange[] = []): Promise<AppliedSchedule> => {
      const after = dryRun ? now : await handle.describe();
      return { name, how, changes, next: nextOf(after), paused: after?.state.paused ?? false };
    };
    if (now === undefined) {
      if (dryRun) return result('created');
      try {
        await client.schedule.create(options);
        return await result('created');
      } catch (error) {
        // Somebody else was quicker: what they applied is compared.
        if (error instanceof ScheduleAlreadyRunning) continue;
        throw refused(error, name);
      }
    }
    const changes = scheduleChanges(now, options, wanted.plan.schedule!);
    if (changes.length === 0) return result('unchanged');
    if (dryRun) return result('updated', changes);
    try {
      await handle.update(({ state }) => ({ ...options, state: { paused: state.paused, note: state.note } }));
    } catch (error) {
      throw refused(error, name);
    }
    return result('updated', changes);
  }
}

/** Schedules of pipelines, by name. */
export async function listSchedules(client: Client): Promise<ScheduleListing[]> {
  const found: ScheduleListing[] = [];
  for await (const summary of client.schedule.list()) {
    if (summary.action?.workflowType !== PIPELINE_WORKFLOW) continue;
    const { scheduleId, spec, state, info } = summary;
    found.push(listing(scheduleId, { spec: spec ?? {}, state, info }));
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws RUN_NOT_FOUND */
export async function describeSchedule(client: Client, name: string): Promise<ScheduleDetails> {
  const { description: found } = await findSchedule(client, name);
  const { policies, action, info } = found;
  const [request] = (action.args ?? []) as [{ params?: Record<string, unknown> }?];
  return {
    ...listing(found.scheduleId, found),
    overlap: overlapName(policies.overlap),
    catchupWindow: policies.catchupWindow,
    params: request?.params ?? {},
    taskQueue: action.taskQueue,
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    taken: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
  };
}

/** Starts no run until `resumeSchedule`. @throws RUN_NOT_FOUND */
export async function pauseSchedule(client: Client, name: string, note: string): Promise<string> {
  const { handle } = await findSchedule(client, name);
  await handle.pause(note);
  return handle.scheduleId;
}

/** @throws RUN_NOT_FOUND */
export async function resumeSchedule(client: Client, name: string, note: string): Promise<string> {
  const { handle } = await findSchedule(client, name);
  await handle.unpause(note);
  return handle.scheduleId;
}

/** Runs it once, now. @returns its id; undefined when it was not started at once: the run before is still going */
export async function triggerSchedule(
  client: Client,
  name: string,
): Promise<{ name: string; workflowId: string | undefined }> {
  const { handle, description } = await findSchedule(client, name);
  const before = description.info.numActionsTaken;
  await handle.trigger();
  for (let tries = 0; tries < 30; tries++) {
    const { info } = await handle.describe();
    if (info.numActionsTaken > before)
      return { name: handle.scheduleId, workflowId: info.recentActions.at(-1)?.action.workflow.workflowId };
    if (info.numActionsSkippedOverlap > description.info.numActionsSkippedOverlap) break;
    await sleep(100);
  }
  return { name: handle.scheduleId, workflowId: undefined };
}

/**
 * Runs it for every time from `from` to `to`, both included, that it would have been run at.
 * @returns those times, ISO 8601
 * @throws RUN_NOT_FOUND; CALL_INVALID when there is no such time
 */
export async function backfillSchedule(
  client: Client,
  name: string,
  { from, to, overlap = 'buffer' }: { from: Date; to: Date; overlap?: 'buffer' | 'allow' },
): Promise<{ name: string; times: string[] }> {
  const { handle } = await findSchedule(client, name);
  // The server leaves out the start itself.
  const start = new Date(from.getTime() - 1);
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: handle.scheduleId,
    startTime: timestamp(start),
    endTime: timestamp(to),
  });
  const times = (startTime ?? []).map(({ seconds }) => new Date(Number(seconds) * 1000).toISOString());
  if (times.length === 0)
    throw new HourglassError(
      'CALL_INVALID',
      `The schedule ${handle.scheduleId} has no time from ${from.toISOString()} to ${to.toISOString()}. See: hourglass schedule describe ${handle.scheduleId}`,
    );
  await handle.backfill({ start, end: to, overlap: OVERLAP[overlap] });
  return { name: handle.scheduleId, times };
}

/** Runs stay. @throws RUN_NOT_FOUND */
export async function deleteSchedule(client: Client, name: string): Promise<string> {
  const { handle } = await findSchedule(client, name);
  await handle.delete();
  return handle.scheduleId;
}

interface Found {
  handle: ScheduleHandle;
  description: ScheduleDescription;
}

/** By its name; `daily-train` for `daily_train` as well, since files are named so. */
async function findSchedule(client: Client, name: string): Promise<Found> {
  for (const one of new Set([name, name.replaceAll('-', '_')])) {
    const handle = client.schedule.getHandle(one);
    const description = await describeOr(handle);
    if (description) return { handle, description };
  }
  throw new HourglassError('RUN_NOT_FOUND', `No schedule "${name}" on the server.`, {
    remedy: 'Use a name `hourglass schedule list` shows, or make one: `hourglass schedule apply FILE`.',
  });
}

async function describeOr(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

type Listed = Pick<ScheduleDescription, 'spec' | 'state'> & {
  info: Pick<ScheduleDescription['info'], 'nextActionTimes' | 'recentActions'>;
};

function listing(name: string, { spec, state, info }: Listed): ScheduleListing {
  return {
    name,
    cron: cronOf({ spec }),
    timezone: spec.timezone || 'UTC',
    paused: state.paused,
    ...(state.note ? { note: state.note } : {}),
    next: nextOf({ info, state }),
    recent: info.recentActions
      .map(({ action, scheduledAt }) => ({
        workflowId: action.workflow.workflowId,
        scheduledAt: scheduledAt.toISOString(),
      }))
      .reverse(),
  };
}

/** A paused schedule has no next time. */
function nextOf(
  now: { info: Pick<ScheduleDescription['info'], 'nextActionTimes'>; state: { paused: boolean } } | undefined,
): string[] {
  return now === undefined || now.state.paused ? [] : now.info.nextActionTimes.map((time) => time.toISOString());
}

function refused(error: unknown, name: string): Error {
  return new HourglassError('CALL_INVALID', `The server refuses the schedule of ${name}: ${reasonOf(error)}.`, {
    cause: error,
  });
}

const timestamp = (time: Date): { seconds: never; nanos: number } => ({
  seconds: Math.floor(time.getTime() / 1000) as never,
  nanos: (time.getTime() % 1000) * 1_000_000,
});

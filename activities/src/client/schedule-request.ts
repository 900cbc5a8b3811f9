import { HourglassError, type Plan } from '@hourglass/core';
import { PIPELINE_WORKFLOW, type RunRequest } from '@hourglass/workflows';
import type { ScheduleOptions, ScheduleOverlapPolicy, ScheduleUpdateOptions } from '@temporalio/client';
import { cronExpressions } from './cron-times.ts';
import { checkSource } from './request.ts';
import { describe } from './submit-run.ts';

/** A schedule as a pipeline's file asks for it. */
export interface WantedSchedule {
  plan: Plan;
  /** Without time and partition: they come from the schedule. */
  request: RunRequest;
  /** Where runs start. */
  taskQueue: string;
}

/** Late runs are caught up for so long, where the file does not say. */
const CATCH_UP_MS = 86_400_000;

export const OVERLAP = {
  skip: 'SKIP',
  buffer: 'BUFFER_ALL',
  allow: 'ALLOW_ALL',
} as const satisfies Record<string, ScheduleOverlapPolicy>;

/**
 * What the server is told. Nobody is there to ask when a scheduled run fails, so that it never holds up the next.
 * @throws CALL_INVALID when the file has no schedule, or is too large
 */
export function scheduleOptions({ plan, request, taskQueue }: WantedSchedule): ScheduleUpdateOptions & ScheduleOptions {
  const { name, schedule } = plan;
  if (schedule === undefined)
    throw new HourglassError(
      'CALL_INVALID',
      `${request.source.file} has no schedule. Add one, for example schedule: { cron: '0 3 * * *' }; what was applied before is removed with: hourglass schedule delete ${name}`,
    );
  checkSource(request);
  const { cron, timezone, overlap, catchupWindow = CATCH_UP_MS, params } = schedule;
  const asked: RunRequest = {
    ...request,
    ...(Object.keys(params).length > 0 ? { params } : {}),
    unattended: true,
  };
  const attributes = request.searchAttributes ? { searchAttributes: { HourglassPipeline: [name] } } : {};
  return {
    scheduleId: name,
    // The text after # is a comment, which is kept: fields are not.
    spec: { cronExpressions: cronExpressions(cron).map((one) => `${one} # ${cron}`), timezone },
    policies: { overlap: OVERLAP[overlap], catchupWindow },
    action: {
      type: 'startWorkflow',
      workflowType: PIPELINE_WORKFLOW,
      // The server adds the time it is scheduled for.
      workflowId: name,
      taskQueue,
      args: [asked],
      ...describe(plan, asked),
      ...attributes,
    },
    ...attributes,
    state: {},
  };
}

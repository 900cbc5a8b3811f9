import { dayOf, HourglassError, type Plan } from '@hourglass/core';
import { PIPELINE_WORKFLOW, type RunRequest } from '@hourglass/workflows';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type { TemporalSettings } from '../connection/settings.ts';
import { checkSource, refuseUnpolled } from './request.ts';
import { hasSearchAttributes } from './search-attributes.ts';

export interface Submission {
  plan: Plan;
  request: RunRequest;
  /** @default name and partition: a second run of the same is refused while the first is under way */
  id?: string;
}

export interface Submitted {
  workflowId: string;
  runId: string;
  /** The server lacks our search attributes. */
  unsearchable: boolean;
}

/** Name and partition, which is the day where none is asked for. */
function workflowIdOf({ schedule }: Plan, { name, partition, scheduledAt }: RunRequest): string {
  const time = scheduledAt === undefined ? new Date() : new Date(scheduledAt);
  return `${name}-${partition ?? dayOf(time, schedule?.timezone)}`;
}

/**
 * Starts a run on the server.
 * @throws RUN_STATE when one of the same id is under way; CALL_INVALID when nobody would run it
 */
export async function submitRun(
  client: Client,
  settings: TemporalSettings,
  env: Record<string, string | undefined>,
  { plan, request, id = workflowIdOf(plan, request) }: Submission,
): Promise<Submitted> {
  checkSource(request);
  await refuseUnpolled(client, settings, env, plan);
  const searchAttributes = await hasSearchAttributes(client, settings.namespace);
  try {
    const handle = await client.workflow.start(PIPELINE_WORKFLOW, {
      taskQueue: settings.taskQueue,
      workflowId: id,
      args: [{ ...request, searchAttributes }],
      ...describe(plan, request),
    });
    return { workflowId: id, runId: handle.firstExecutionRunId, unsearchable: !searchAttributes };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new HourglassError(
      'RUN_STATE',
      `Run ${id} is under way already. For another one of the same pipeline and partition, give it an id: --id NAME`,
      { details: { run: id }, remedy: `Watch it: \`hourglass watch ${id}\`.` },
    );
  }
}

/** What the Temporal UI shows of a run from its start. */
export function describe(
  plan: Plan,
  request: Pick<RunRequest, 'source' | 'params' | 'baseDir'>,
): { staticSummary: string; staticDetails: string } {
  const params = Object.entries(request.params ?? {}).map(([name, value]) => `- \`${name}\`: ${JSON.stringify(value)}`);
  return {
    staticSummary: plan.title ?? plan.name,
    staticDetails: [
      `**${plan.title ?? plan.name}** · pipeline \`${plan.name}\` · ${request.source.file}`,
      ...(params.length ? ['', ...params] : []),
      '',
      '```yaml',
      request.source.files[request.source.file]!.slice(0, 8000).trimEnd(),
      '```',
    ].join('\n'),
  };
}

import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';

/** The failure of a run's newest tasks is among its last events. */
const LAST_EVENTS = 20;

/** Why a run does not move: the workers fail its workflow task again and again. Nothing where they do not. */
export async function stuckTask(
  client: Client,
  { workflowId, runId, raw }: WorkflowExecutionDescription,
): Promise<string | undefined> {
  const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
  if (attempt < 2) return undefined;
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: LAST_EVENTS,
  });
  const failed = history?.events?.find(({ workflowTaskFailedEventAttributes: failure }) => failure);
  const failure = failed?.workflowTaskFailedEventAttributes?.failure;
  const converter = client.options.loadedDataConverter;
  const context = { type: 'workflow', namespace: client.options.namespace, workflowId } as const;
  const error = await decodeOptionalFailureToOptionalError(converter, failure, context).catch(
    (unread: Error) => new Error(`why cannot be read here: ${unread.message}`),
  );
  return `its workflow tasks fail on the workers (attempt ${attempt})${error ? `: ${error.message.replace(/\.$/, '')}` : ''}`;
}

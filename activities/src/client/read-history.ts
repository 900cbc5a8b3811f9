import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { found } from './run-handle.ts';

/** The history of a run as JSON that a worker replays. Of one that continued as new: its newest part. @throws RUN_NOT_FOUND */
export async function readHistory(client: Client, workflowId: string): Promise<{ json: string; events: number }> {
  const history = await found(workflowId, client.workflow.getHandle(workflowId).fetchHistory());
  return { json: historyToJSON(history), events: history.events?.length ?? 0 };
}

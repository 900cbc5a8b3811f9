import { PIPELINE_WORKFLOW } from '@hourglass/workflows';
import type { Client } from '@temporalio/client';

export interface TemporalRunListing {
  workflowId: string;
  execution: string;
  startedAt: string;
  closedAt?: string;
  /** Our own word for where it stands; needs our search attributes. */
  status?: string;
  stages: string[];
  metric?: number;
}

/** Runs on the server, newest first. */
export async function listTemporalRuns(
  client: Client,
  { limit, pipeline }: { limit: number; pipeline?: string },
): Promise<TemporalRunListing[]> {
  const query = `WorkflowType = '${PIPELINE_WORKFLOW}'${pipeline ? ` AND HourglassPipeline = '${pipeline.replaceAll("'", "''")}'` : ''}`;
  const runs: TemporalRunListing[] = [];
  for await (const info of client.workflow.list({ query, pageSize: Math.min(limit, 1000) })) {
    const attributes = Object.fromEntries(
      info.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value] as const),
    );
    const metric = attributes['HourglassMetric'];
    runs.push({
      workflowId: info.workflowId,
      execution: info.status.name,
      startedAt: info.startTime.toISOString(),
      ...(info.closeTime ? { closedAt: info.closeTime.toISOString() } : {}),
      ...(attributes['HourglassStatus'] ? { status: String(attributes['HourglassStatus']) } : {}),
      stages: (attributes['HourglassStage'] as string[] | undefined) ?? [],
      ...(typeof metric === 'number' ? { metric } : {}),
    });
    if (runs.length === limit) break;
  }
  return runs;
}

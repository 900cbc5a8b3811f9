import { basename } from 'node:path';
import { HourglassError } from '@hourglass/core';
import type { RunRecord } from '@hourglass/runtime';
import type { RunView } from '@hourglass/workflows';
import type { TemporalRun } from './run-handle.ts';

const EXECUTIONS: Record<string, RunRecord['status']> = {
  RUNNING: 'running',
  COMPLETED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'cancelled',
  TIMED_OUT: 'failed',
};

/** A run on the server as the record that a run of this machine would have. @throws RUN_STATE while it is being prepared, or when that failed */
export function recordOf({ workflowId, execution, startedAt, closedAt, view, failure }: TemporalRun): RunRecord {
  if (view === undefined || !isPrepared(view))
    throw failure
      ? HourglassError.fromJSON(failure)
      : new HourglassError('RUN_STATE', `Run ${workflowId} has not begun: it is ${execution.toLowerCase()}.`, {
          remedy: `Look again with \`hourglass status ${workflowId}\`.`,
        });
  return viewRecord(view, {
    id: workflowId,
    // Of a run whose stage was cancelled the server says failed: it was not itself asked to cancel.
    status:
      execution === 'FAILED' && view.state.status === 'cancelled' ? 'cancelled' : (EXECUTIONS[execution] ?? 'running'),
    startedAt,
    finishedAt: closedAt,
  });
}

export type PreparedView = Required<RunView>;

const isPrepared = (view: RunView): view is PreparedView => view.state !== undefined && view.prepared !== undefined;

/** What a workflow says of its run, as such a record. */
export function viewRecord(
  { state, prepared, request, notes }: PreparedView,
  { finishedAt, ...facts }: Pick<RunRecord, 'id' | 'status' | 'startedAt' | 'finishedAt'>,
): RunRecord {
  const { plan, baseDir, outDir = '' } = prepared;
  const warnings = notes.warnings.map((warning) => ({ ...warning }));
  return {
    ...facts,
    pipeline: plan.name,
    ...(plan.title ? { title: plan.title } : {}),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    resumed: 0,
    params: state.params,
    names: state.names,
    seed: state.seed,
    engine: { asked: state.engine },
    baseDir,
    outDir,
    source: {
      file: `${baseDir}/${basename(request.source.file)}`,
      text: request.source.files[request.source.file] ?? '',
    },
    identity: '',
    ...(state.error ? { error: state.error } : {}),
    plan,
    state,
    occasions: Object.fromEntries(
      Object.entries(notes.occasions).map(([path, { sinks, ...occasion }]) => [
        path,
        {
          path,
          ...occasion,
          ...(sinks
            ? {
                sinks: Object.entries(sinks).map(([uri, digest]) => ({
                  uri,
                  path: outDir ? `${outDir}/${uri}` : uri,
                  digest,
                })),
              }
            : {}),
        },
      ]),
    ),
    warnings,
  };
}

import { basename } from 'node:path';
import { HourglassError } from '@hourglass/core';
import type { RunRecord } from '@hourglass/runtime';
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
export function recordOf({
  workflowId,
  execution,
  startedAt,
  closedAt,
  view,
  failure,
}: Omit<TemporalRun, 'progress'>): RunRecord {
  const { state, prepared, request, notes } = view ?? {};
  if (state === undefined || prepared === undefined || request === undefined || notes === undefined)
    throw failure
      ? HourglassError.fromJSON(failure)
      : new HourglassError('RUN_STATE', `Run ${workflowId} has not begun: it is ${execution.toLowerCase()}.`);
  const { plan, baseDir, outDir = '' } = prepared;
  const warnings = notes.warnings.map((warning) => ({ ...warning }));
  return {
    id: workflowId,
    pipeline: plan.name,
    ...(plan.title ? { title: plan.title } : {}),
    status: EXECUTIONS[execution] ?? 'running',
    startedAt,
    ...(closedAt === undefined ? {} : { finishedAt: closedAt }),
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

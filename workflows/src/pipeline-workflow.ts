import { drive, isClosed, type Driven, type RunEvent } from '@hourglass/core/interpreter';
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ContinuedRun, RunNotes, RunRequest, RunSummary, StoreActivities } from './contract.ts';
import { STORE_RETRY, toFailure } from './failure.ts';
import { runQuery, statusQuery } from './messages.ts';
import { reportRun } from './report-run.ts';
import { showRun } from './show-run.ts';
import { listenToPeople } from './people.ts';
import { stageRows } from './stage-rows.ts';
import { temporalEffects } from './temporal-effects.ts';

/** Stages under way at once: well below the server's limit of pending activities. */
const MAX_PARALLEL = 400;
/** Time that running stages have to end by themselves, before those that can continue are interrupted. */
const DRAIN = '2 minutes';

/** Runs a pipeline: a thin driver of the interpreter, whose state is this workflow's state. */
export async function pipelineWorkflow(request: RunRequest): Promise<RunSummary> {
  const info = workflowInfo();
  const { continued, ...asked } = request;
  const notes: RunNotes = continued?.notes ?? { curves: {}, warnings: [], occasions: {} };
  let run: ContinuedRun | undefined = continued;
  setHandler(runQuery, () => {
    const { state, plan, queues, baseDir, carried, outDir, dataset } = run ?? {};
    return {
      request: asked,
      notes,
      ...(run
        ? { state, prepared: { plan: plan!, queues: queues!, baseDir: baseDir!, carried, outDir, dataset } }
        : {}),
    };
  });
  setHandler(statusQuery, () =>
    run
      ? { status: run.state.status, paused: run.state.paused, stages: stageRows(run.plan, run.state) }
      : { status: 'starting', paused: false, stages: [] },
  );

  run ??= { ...(await prepare(asked)), notes };
  const current: ContinuedRun = run;
  const show = showRun(current, request.searchAttributes === true);
  const interrupt = new AbortController();
  const drain = new AbortController();
  const { effects, running } = temporalEffects(current);
  const people = listenToPeople(current);
  let driving = true;

  const onEvent = (event: RunEvent, state: ContinuedRun['state']): void => {
    current.state = state;
    people.applied(event);
    show(event);
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const full = continueAsNewSuggested || historyLength > (request.maxHistory ?? Infinity);
    if (full && !drain.signal.aborted && !isClosed(state)) {
      drain.abort();
      void interruptAfterDrain();
    }
  };

  /** A training of hours must not hold up the rest: it continues from its checkpoint. */
  const interruptAfterDrain = async (): Promise<void> => {
    while (driving) {
      const ended = await condition(() => !driving, DRAIN);
      if (!ended && running.size > 0 && [...running.values()].every(({ checkpoints }) => checkpoints))
        interrupt.abort();
    }
  };

  let driven: Driven;
  try {
    driven = await CancellationScope.nonCancellable(() =>
      drive(
        current.plan,
        current.state,
        {
          ...effects,
          onEvent,
          subscribe: (send) => {
            people.start(send);
            return people.stop;
          },
        },
        { signal: interrupt.signal, drain: drain.signal, maxParallel: MAX_PARALLEL },
      ),
    );
  } finally {
    driving = false;
  }
  const { state } = driven;
  current.state = state;
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (driven.ended !== 'closed')
    return continueAsNew<typeof pipelineWorkflow>({ ...asked, continued: { ...current, cancel: people.cancelled() } });
  if (request.report) await CancellationScope.nonCancellable(() => reportRun(current, asked));
  show();
  if (state.status === 'cancelled') throw new CancelledFailure(state.error?.message ?? 'The run was cancelled.');
  if (state.error) throw toFailure(state.error, true);
  return summaryOf(current, info.workflowId);
}

async function prepare(request: RunRequest): Promise<Omit<ContinuedRun, 'notes'>> {
  const { prepareRun } = proxyLocalActivities<Pick<StoreActivities, 'prepareRun'>>({
    startToCloseTimeout: '5 minutes',
    retry: STORE_RETRY,
    summary: 'compile on this build, pin names and queues',
  });
  const { workflowId, firstExecutionRunId, startTime, typedSearchAttributes } = workflowInfo();
  // Of a schedule, also one that catches up or is backfilled: the time it was meant for.
  const planned = typedSearchAttributes.getAll().find(({ key }) => key.name === 'TemporalScheduledStartTime')?.value;
  const scheduledAt =
    planned instanceof Date ? planned.toISOString() : (request.scheduledAt ?? startTime.toISOString());
  return prepareRun(request, { id: `${workflowId}/${firstExecutionRunId.slice(0, 8)}`, scheduledAt });
}

function summaryOf({ state }: ContinuedRun, runId: string): RunSummary {
  const entries = Object.entries(state.stages);
  return {
    runId,
    status: state.status,
    outputs: Object.fromEntries(entries.flatMap(([id, { outputs }]) => (outputs ? [[id, outputs]] : []))),
    metrics: Object.fromEntries(entries.flatMap(([id, { metrics }]) => (metrics ? [[id, metrics]] : []))),
    published: Object.fromEntries(
      Object.entries(state.published).flatMap(([name, { version }]) =>
        version === undefined ? [] : [[name, version]],
      ),
    ),
  };
}

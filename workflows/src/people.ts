import { HourglassError, refuseEvent, type Incoming, type RunEvent } from '@hourglass/core/interpreter';
import {
  CancellationScope,
  condition,
  type defineUpdate,
  patched,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { ContinuedRun, RunUpdates, StoreActivities } from './contract.ts';
import { fromFailure, STORE_RETRY, toFailure } from './failure.ts';
import { DESCRIPTIONS, updates } from './messages.ts';
import { statusLine } from './run-details.ts';

const NOBODY = 'somebody';

/** Updates as events of the interpreter. */
const EVENTS: { [K in keyof RunUpdates]: (said: RunUpdates[K]) => Incoming } = {
  pause: () => ({ type: 'pause' }),
  resume: () => ({ type: 'resume' }),
  approve: ({ stage, by = NOBODY, reason }) => ({ type: 'approve', path: stage, by, ...(reason ? { reason } : {}) }),
  reject: ({ stage, by = NOBODY, reason }) => ({ type: 'reject', path: stage, by, ...(reason ? { reason } : {}) }),
  retryStage: ({ stage, options, by }) => ({ type: 'retry-stage', path: stage, options, by }),
  skipStage: ({ stage, by }) => ({ type: 'skip-stage', path: stage, by }),
  cancelStage: ({ stage, by }) => ({ type: 'cancel-stage', path: stage, by }),
};

export interface People {
  start(send: (event: Incoming) => void): void;
  stop(): void;
  /** The interpreter has applied an event. */
  applied(event: RunEvent): void;
  /** The workflow was asked to stop. */
  cancelled(): boolean;
}

/** Updates of people, validated against the state as it is; cancellation of the workflow is one of them. */
export function listenToPeople(run: ContinuedRun): People {
  let send: ((event: Incoming) => void) | undefined;
  let stopped = false;
  let cancelled = run.cancel === true;
  /** Events sent and not applied. */
  const open = new Set<Incoming['type']>();

  const register = <K extends keyof RunUpdates>(name: K): void => {
    setHandler(
      updates[name] as unknown as ReturnType<typeof defineUpdate<{ status: string }, [RunUpdates[K]]>>,
      async (said: RunUpdates[K]) => {
        // Runs begun by a build that did not ask are replayed as they went.
        if (changesOptions(said) && patched('check-options')) await checkOptions(run, said);
        await condition(() => send !== undefined || stopped);
        if (stopped) {
          const message = 'The run ended, or continues in a new history, just now: try again.';
          throw toFailure(new HourglassError('RUN_STATE', message).toJSON(), true);
        }
        const event = EVENTS[name](said);
        open.add(event.type);
        send!(event);
        await condition(() => !open.has(event.type));
        return { status: statusLine(run.state) };
      },
      {
        description: DESCRIPTIONS[name],
        validator: (said: RunUpdates[K]) => {
          const refusal = refuse(run, name, said);
          if (refusal) throw toFailure(refusal.toJSON(), true);
        },
      },
    );
  };
  for (const name of Object.keys(EVENTS) as (keyof RunUpdates)[]) register(name);

  void CancellationScope.current().cancelRequested.catch(() => {
    cancelled = true;
    send?.({ type: 'cancel' });
  });

  return {
    start(give) {
      send = give;
      // After the event that starts the run: before it there is nothing to cancel.
      if (cancelled) void Promise.resolve().then(() => give({ type: 'cancel' }));
    },
    stop() {
      send = undefined;
      stopped = true;
      open.clear();
    },
    applied: (event) => open.delete(event.type),
    cancelled: () => cancelled,
  };
}

type Retry = RunUpdates['retryStage'];

const changesOptions = (said: Partial<Retry> | undefined): said is Retry & Required<Pick<Retry, 'options'>> =>
  Object.keys(said?.options ?? {}).length > 0;

/** Options are declared by plugins, which the worker has and this sandbox has not: it is asked before anything is kept. */
async function checkOptions(run: ContinuedRun, said: Required<Pick<Retry, 'stage' | 'options'>>): Promise<void> {
  const activities = proxyLocalActivities<Pick<StoreActivities, 'checkOptions'>>({
    startToCloseTimeout: '1 minute',
    retry: STORE_RETRY,
    summary: `options of ${said.stage}`,
  });
  try {
    await activities.checkOptions(run.plan, said.stage, said.options);
  } catch (error) {
    throw toFailure(fromFailure(error, said.stage), true);
  }
  // It may have been answered otherwise meanwhile.
  const late = refuse(run, 'retryStage', said);
  if (late) throw toFailure(late.toJSON(), true);
}

function refuse<K extends keyof RunUpdates>(
  run: ContinuedRun,
  name: K,
  said: RunUpdates[K],
): HourglassError | undefined {
  const fields = said as { stage?: unknown; options?: unknown } | undefined;
  if (name !== 'pause' && name !== 'resume' && typeof fields?.stage !== 'string')
    return new HourglassError(
      'CALL_INVALID',
      `\`${name}\`: expected {"stage": "NAME"}, found ${JSON.stringify(said)}.`,
    );
  const options = fields?.options;
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options)))
    return new HourglassError(
      'CALL_INVALID',
      `\`${name}\`: expected "options": {"NAME": VALUE}, found ${JSON.stringify(options)}.`,
    );
  const { paused } = run.state;
  if (name === 'pause' ? paused : name === 'resume' && !paused)
    return new HourglassError(
      'RUN_STATE',
      `Run ${run.state.run.id} is ${paused ? '' : 'not '}paused${paused ? ' already' : ''}.`,
    );
  return refuseEvent(run.plan, run.state, { ...EVENTS[name](said), at: Date.now() } as RunEvent);
}

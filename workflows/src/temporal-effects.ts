import {
  findStagePlan,
  HourglassError,
  isForced,
  itemKeep,
  stagePathOf,
  type CacheAnswer,
  type DriveEffects,
  type StageOutcome,
  type StageTask,
} from '@hourglass/core/interpreter';
import {
  ApplicationFailure,
  ActivityFailure,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import { activityOptions } from './activity-options.ts';
import type { ContinuedRun, RunNotes, StageCall, StageReply, StoreActivities } from './contract.ts';
import { fromFailure, STORE_RETRY, YIELDED } from './failure.ts';

/** Lookups of one local activity: their answers must fit into one entry of the history. */
const LOOKUPS_AT_ONCE = 128;
const WARNINGS_KEPT = 50;
const OCCASIONS_KEPT = 200;

export interface TemporalEffects {
  effects: DriveEffects;
  /** Stages under way. */
  running: Map<string, { checkpoints: boolean }>;
}

/** What the interpreter asks for, as activities and timers. Stages are activities of their own type; all else is local. */
export function temporalEffects(run: ContinuedRun): TemporalEffects {
  const { plan, queues, notes } = run;
  const running = new Map<string, { checkpoints: boolean }>();
  const store = proxyLocalActivities<Omit<StoreActivities, 'prepareRun'>>({
    startToCloseTimeout: '30 minutes',
    retry: STORE_RETRY,
  });
  const place = (): StageCall['place'] => ({
    pipeline: plan.name,
    runId: run.state.run.id,
    baseDir: run.baseDir,
    ...(run.outDir === undefined ? {} : { outDir: run.outDir }),
    ...(run.carried === undefined ? {} : { carried: run.carried }),
  });
  const stageOf = (task: StageTask) => findStagePlan(plan, stagePathOf(task.path))!.stage;
  const keepOf = (task: StageTask): StageCall['keep'] => {
    const stage = stageOf(task);
    const metrics = Object.keys(stage.outputs).filter((name) => stage.outputs[name]!.kind === 'metrics');
    return Object.fromEntries(metrics.map((name) => [name, itemKeep(stage, name)]));
  };
  /** Store work with errors as the interpreter knows them. */
  const guarded = async <T>(what: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw HourglassError.fromJSON(fromFailure(error, what));
    }
  };

  async function runStage(task: StageTask, signal: AbortSignal): Promise<StageOutcome> {
    const stage = stageOf(task);
    const summary = `${task.path} · ${plan.name} · ${run.state.run.partition}`;
    const activities = proxyActivities<Record<string, (call: StageCall) => Promise<StageReply>>>(
      activityOptions(task, stage, queues, summary, running.size),
    );
    const call: StageCall = {
      task,
      place: place(),
      ...(stage.version === undefined ? {} : { version: stage.version }),
      ...(isForced(run.state, task) ? { force: true } : {}),
      keep: keepOf(task),
    };
    running.set(task.path, { checkpoints: task.resources.checkpoint === true });
    const scope = new CancellationScope();
    const cancel = (): void => scope.cancel();
    signal.addEventListener('abort', cancel);
    try {
      for (;;) {
        try {
          const { result, occasion, curve, warnings } = await scope.run(() => activities[task.uses]!(call));
          note(notes, task.path, {
            occasion: { ...occasion, ...(result.sinks ? { sinks: result.sinks } : {}) },
            curve,
            warnings,
          });
          return { ok: true, result, occasion };
        } catch (error) {
          // The worker went away in order: another goes on from the checkpoint.
          if (hasYielded(error) && !signal.aborted) continue;
          return failed(
            hasYielded(error)
              ? new HourglassError('CANCELLED', `\`${task.path}\` was cancelled.`).toJSON()
              : fromFailure(error, task.path),
          );
        }
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      running.delete(task.path);
    }
  }

  const effects: DriveEffects = {
    async lookup(tasks) {
      const pages: Promise<CacheAnswer[]>[] = [];
      for (let at = 0; at < tasks.length; at += LOOKUPS_AT_ONCE) {
        const page = tasks.slice(at, at + LOOKUPS_AT_ONCE);
        pages.push(guarded('lookup', store.lookupStages(page, place(), page.map(keepOf))));
      }
      return (await Promise.all(pages)).flat();
    },
    run: runStage,
    // The history holds the state.
    save: () => Promise.resolve(),
    now: Date.now,
    async sleep(ms, signal) {
      const scope = new CancellationScope();
      const cancel = (): void => scope.cancel();
      signal.addEventListener('abort', cancel);
      try {
        await scope.run(() => sleep(ms));
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    listParts: (ref, offset, limit) => guarded('forEach', store.listParts(ref, offset, limit)),
    collect: (kind, entries, missing) => guarded('collect', store.collectParts(kind, entries, missing)),
    publish: (name, ref) => guarded(`publish.${name}`, store.publishName(name, ref, run.state.run.id)),
  };
  return { effects, running };
}

/** Temporal has tried as often as the plan says: the interpreter does not try again. */
function failed(error: ReturnType<typeof fromFailure>): StageOutcome {
  const at = new Date().toISOString();
  return { ok: false, error, retryable: false, occasion: { startedAt: at, finishedAt: at, cache: 'miss' } };
}

function hasYielded(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === YIELDED;
}

function note(
  notes: RunNotes,
  path: string,
  { occasion, curve, warnings }: { occasion: RunNotes['occasions'][string]; curve?: string; warnings: string[] },
): void {
  // Of a fan-out of thousands the first are enough: the state says what became of all.
  if (Object.keys(notes.occasions).length < OCCASIONS_KEPT) {
    notes.occasions[path] = occasion;
    if (curve !== undefined) notes.curves[path] = curve;
  }
  const room = WARNINGS_KEPT - notes.warnings.length;
  notes.warnings.push(...warnings.slice(0, room).map((message) => ({ path, message, at: occasion.finishedAt })));
}

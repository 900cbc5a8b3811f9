import type { Store } from '@hourglass/artifacts';
import {
  type ErrorJson,
  HourglassError,
  keepPaths,
  type StageOutcome,
  type StageResult,
} from '@hourglass/core/interpreter';
import type { Runner } from '@hourglass/runtime';
import { toFailure, YIELDED, type StageCall, type StageReply } from '@hourglass/workflows';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { failing } from './failing.ts';
import { heartbeats } from './heartbeats.ts';
import { lossCurve } from './loss-curve.ts';
import { placeHere } from './place-here.ts';
import { refuseLarge } from './result-guard.ts';

export interface StageActivityOptions {
  runner: Runner;
  store: Store;
  /** Where relative destinations go when the run does not say. */
  outDir: string;
  /** Version of the manifest of a stage as installed here. */
  versionOf(stageId: string): number;
  /** The worker holds stages that it cannot begin soon. @default never */
  crowded?(): boolean;
  log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

const WARNINGS_KEPT = 20;
/** How often a stage that waits for a core asks whether it is better off elsewhere. */
const LOOK_AROUND_MS = 500;

/** One attempt of a stage as a Temporal activity: the runner does the work, Temporal is told how it goes. */
export function stageActivity(options: StageActivityOptions): (call: StageCall) => Promise<StageReply> {
  const { runner, store, outDir, versionOf, crowded = () => false, log = () => undefined } = options;
  return async (call) => {
    const { task, place, force, keep } = call;
    const context = Context.current();
    const { attempt, heartbeatTimeoutMs } = context.info;
    refuseOtherBuild(call, versionOf(task.uses));
    const abort = new AbortController();
    const stop = (): void => abort.abort(new HourglassError('CANCELLED', `Stage ${task.path} was cancelled.`));
    context.cancellationSignal.addEventListener('abort', stop);
    if (context.cancellationSignal.aborted) stop();
    let givenBack = false;
    const waiting = setInterval(() => {
      if (!crowded()) return;
      givenBack = true;
      stop();
    }, LOOK_AROUND_MS);
    const beats = heartbeats((details) => context.heartbeat(details), heartbeatTimeoutMs ?? 30_000, task.path);
    const curve = lossCurve();
    const what = `${context.info.workflowExecution?.workflowId ?? ''} ${task.path}`;
    log('info', `${what}: ${task.uses}${attempt > 1 ? `, attempt ${attempt}` : ''}`);
    const warnings: string[] = [];
    let outcome: StageOutcome;
    try {
      // The runner itself gives outcomes: what fails here is that what was carried for it cannot be fetched.
      outcome = await failing(async () =>
        runner.run({ ...task, attempt }, await placeHere(place, store, outDir), {
          signal: abort.signal,
          force,
          onStart({ key, pid }) {
            clearInterval(waiting);
            beats.say({ checkpoint: key.slice(0, 12), pid });
          },
          onProgress: ({ fraction, message, metrics }) => {
            if (metrics?.['loss'] !== undefined) curve.add(metrics['loss']);
            beats.progress(fraction, message, metrics, curve.text());
          },
          onLog: ({ level, message }) => {
            log(level, `${what}: ${message}`);
            if (level === 'warn' && warnings.length < WARNINGS_KEPT) warnings.push(message);
            beats.say({ message });
          },
        }),
      );
    } finally {
      clearInterval(waiting);
      beats.stop();
      context.cancellationSignal.removeEventListener('abort', stop);
    }
    if (!outcome.ok) {
      log(
        outcome.error.code === 'CANCELLED' ? 'info' : 'warn',
        `${what}: ${outcome.error.code} ${outcome.error.message}`,
      );
      throw givenBack && outcome.error.code === 'CANCELLED' && !context.cancellationSignal.aborted
        ? yielded(outcome.error, `The worker of ${task.path} has no core for it; another takes it.`)
        : failureOf(outcome, context, task.path);
    }
    log('info', `${what}: done${outcome.occasion.cache === 'hit' ? ' (cached)' : ''}`);
    const reply: StageReply = {
      result: trim(outcome.result, keep),
      occasion: outcome.occasion,
      ...(curve.text() === '' ? {} : { curve: curve.text() }),
      warnings,
    };
    refuseLarge(reply, `Stage ${task.path} (${task.uses})`);
    return reply;
  };
}

/** Metrics that the plan reads; all of them are in the store. */
export function trim(result: StageResult, keep: StageCall['keep']): StageResult {
  const metrics = Object.entries(result.metrics).map(([name, value]) => [name, keepPaths(value, keep[name] ?? [])]);
  return { ...result, metrics: Object.fromEntries(metrics) as Record<string, unknown> };
}

/** A plugin upgrade must not change a run under way. */
function refuseOtherBuild({ task, version }: StageCall, here: number): void {
  if (version === undefined || version === here) return;
  const message = `Stage ${task.path}: the run was compiled for ${task.uses} version ${version}, this worker has version ${here}. Run it on workers of its build, or submit it again.`;
  throw toFailure(new HourglassError('PLUGIN_INVALID', message).toJSON(), true);
}

function failureOf(outcome: Extract<StageOutcome, { ok: false }>, context: Context, path: string): Error {
  const { error } = outcome;
  const { cancelRequested, workerShutdown, paused, reset, timedOut, notFound } = context.cancellationDetails ?? {};
  if (error.code !== 'CANCELLED' || !context.cancellationSignal.aborted) return toFailure(error);
  const shutdown = workerShutdown === true || String(context.cancellationSignal.reason?.message).includes(YIELDED);
  if (shutdown && !cancelRequested)
    return yielded(error, `The worker of ${path} shuts down; another continues from the checkpoint.`);
  // Paused or reset by a person in the Temporal UI: Temporal itself starts it again.
  if (paused === true || reset === true || timedOut === true || notFound === true) return toFailure(error, false);
  return context.cancellationSignal.reason instanceof Error ? context.cancellationSignal.reason : toFailure(error);
}

/** The workflow schedules it anew, and no attempt is counted. */
function yielded(error: ErrorJson, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: YIELDED, message, nonRetryable: true, details: [error] });
}

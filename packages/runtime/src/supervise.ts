import type { ErrorJson } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import { MEMORY_POLL_MS, residentMemory } from './child-memory.ts';
import type { FromStageProcess, Job } from './messages.ts';
import type { ProgressNews } from './progress-throttle.ts';
import type { StageProcess } from './stage-pool.ts';
import { errorJson } from './stage-error.ts';

export interface SupervisionOptions {
  /** Aborting cancels the job; the reason is passed on when it is an error of ours. */
  signal?: AbortSignal;
  /** Milliseconds. `heartbeat`: longest time without progress, log line or checkpoint. */
  timeout: { attempt?: number; heartbeat?: number };
  memoryMiB: number;
  /** Time a cancelled job has to save a checkpoint and leave, before it is killed. */
  graceMs: number;
  onProgress(news: ProgressNews): void;
  onLog(level: 'info' | 'warn', message: string): void;
  parallel(call: { module: string; export: string; items: unknown[] }): Promise<unknown[]>;
}

export type Supervised = { pid: number; peakMemory: number } & (
  { ok: true; value: unknown; engine?: string } | { ok: false; error: ErrorJson }
);

let ids = 0;

/**
 * Runs a job in a stage process and watches it: time, signs of life, memory, cancellation, death. Never rejects. The
 * process must be replaced unless the result is `ok` or an error the stage reported by itself.
 */
export function supervise(
  stageProcess: StageProcess,
  job: Job,
  options: SupervisionOptions,
): Promise<{ result: Supervised; reusable: boolean }> {
  const id = ++ids;
  const { pid } = stageProcess;
  const { attempt, heartbeat } = options.timeout;
  let peakMemory = residentMemory(pid) ?? 0;
  let lastSign = performance.now();
  let waiting = 0;
  let ending: ErrorJson | undefined;
  let graceTimer: NodeJS.Timeout | undefined;

  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const finish = (
      result: { ok: true; value: unknown; engine?: string } | { ok: false; error: ErrorJson },
      reusable: boolean,
    ): void => {
      for (const timer of timers) clearInterval(timer);
      clearTimeout(graceTimer);
      options.signal?.removeEventListener('abort', onAbort);
      stageProcess.listen(undefined);
      if (!reusable) stageProcess.kill();
      resolve({ result: { ...result, pid, peakMemory }, reusable });
    };
    /** The job ends with this error: at once, or after it had time to save a checkpoint. */
    const end = (error: ErrorJson, graceMs: number): void => {
      if (ending !== undefined) return;
      ending = error;
      if (graceMs === 0) return finish({ ok: false, error }, false);
      stageProcess.send({ type: 'cancel', id, error });
      graceTimer = setTimeout(() => finish({ ok: false, error: ending! }, false), graceMs);
    };
    const onAbort = (): void => end(cancellation(options.signal!, job.path), options.graceMs);

    stageProcess.listen({
      message(message: FromStageProcess) {
        if (message.type === 'ready' || message.id !== id) return;
        lastSign = performance.now();
        if (message.type === 'progress') options.onProgress(message);
        else if (message.type === 'log') options.onLog(message.level, message.message);
        else if (message.type === 'parallel') {
          waiting++;
          void options.parallel(message).then(
            (results) => answer(message.call, { results }),
            (error: unknown) => answer(message.call, { error: HourglassError.from(error).toJSON() }),
          );
        } else if (message.type === 'done') {
          peakMemory = Math.max(peakMemory, message.rss);
          // Work that was finished in spite of a cancellation is still not wanted; after a timeout it came too late.
          if (ending === undefined) finish({ ok: true, value: message.value, engine: message.engine }, true);
          else finish({ ok: false, error: ending }, false);
        } else if (message.type === 'failed') {
          peakMemory = Math.max(peakMemory, message.rss);
          const error = ending ?? message.error;
          finish({ ok: false, error: { ...error, details: { ...error.details, ...tailOf(stageProcess) } } }, false);
        }
      },
      exit(code, signal) {
        finish({ ok: false, error: ending ?? crash(job.path, stageProcess, code, signal) }, false);
      },
    });
    const answer = (call: number, reply: { results: unknown[] } | { error: ErrorJson }): void => {
      waiting--;
      lastSign = performance.now();
      stageProcess.send({ type: 'answer', id, call, answer: reply });
    };

    if (attempt !== undefined)
      timers.push(
        setTimeout(() => {
          const message = `Stage ${job.path} ran longer than timeout.attempt (${seconds(attempt)}). Raise the timeout or make the work smaller.`;
          end(errorJson('STAGE_TIMEOUT', message, { attemptMs: attempt }), options.graceMs);
        }, attempt),
      );
    if (heartbeat !== undefined)
      timers.push(
        setInterval(
          () => {
            const silent = performance.now() - lastSign;
            // While items of `ctx.parallel` run, they have heartbeats of their own.
            if (waiting > 0 || silent < heartbeat) return;
            const message = `Stage ${job.path} showed no progress for ${seconds(silent)} (timeout.heartbeat is ${seconds(heartbeat)}); its process was killed. Report progress more often or raise the timeout.`;
            end(errorJson('STAGE_HUNG', message, { heartbeatMs: heartbeat, ...tailOf(stageProcess) }), 0);
          },
          Math.max(20, Math.min(1000, heartbeat / 5)),
        ),
      );
    timers.push(
      setInterval(() => {
        const memory = residentMemory(pid) ?? 0;
        peakMemory = Math.max(peakMemory, memory);
        if (memory <= options.memoryMiB * 2 ** 20) return;
        const found = Math.round(memory / 2 ** 20);
        const message = `Stage ${job.path} used ${found} MiB, more than resources.memory (${options.memoryMiB} MiB); its process was killed. Raise the limit or reduce the batch.`;
        end(errorJson('OUT_OF_MEMORY', message, { memoryMiB: found, limitMiB: options.memoryMiB }), 0);
      }, MEMORY_POLL_MS),
    );
    if (options.signal?.aborted) return finish({ ok: false, error: cancellation(options.signal, job.path) }, true);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    stageProcess.send({ type: 'run', id, job });
  });
}

export function cancellation(signal: AbortSignal, path: string): ErrorJson {
  const reason: unknown = signal.reason;
  if (reason instanceof HourglassError) return reason.toJSON();
  return errorJson('CANCELLED', `Stage ${path} was cancelled.`);
}

function crash(path: string, stageProcess: StageProcess, code: number | null, signal: string | null): ErrorJson {
  const output = stageProcess.output();
  if (/heap out of memory|Reached heap limit|std::bad_alloc/i.test(output))
    return errorJson(
      'OUT_OF_MEMORY',
      `Stage ${path} ran out of memory and its process died. Reduce the batch or the data, or raise resources.memory.`,
      tailOf(stageProcess),
    );
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const hint = signal === 'SIGKILL' ? ' Something killed it; the system does that when memory runs out.' : '';
  return errorJson('STAGE_CRASHED', `Stage ${path}: its process ${stageProcess.pid} died with ${how}.${hint}`, {
    exitCode: code,
    signal,
    ...tailOf(stageProcess),
  });
}

function tailOf(stageProcess: StageProcess): { output?: string } {
  const output = stageProcess.output().trim();
  return output === '' ? {} : { output };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

// Entry of a stage process: runs one job at a time for the process that forked it.
import { Worker } from 'node:worker_threads';
import { HourglassError } from '@hourglass/core';
import { executeJob } from './execute-job.ts';
import type { FromStageProcess, Job, ToStageProcess } from './messages.ts';
import { progressThrottle } from './progress-throttle.ts';
import { stageError } from './stage-error.ts';

interface Current {
  id: number;
  path: string;
  abort: AbortController;
  answers: Map<number, { resolve(results: unknown[]): void; reject(error: unknown): void }>;
}

let current: Current | undefined;

function send(message: FromStageProcess): void {
  // The parent may be gone already; 'disconnect' ends this process then.
  if (process.connected) process.send!(message, undefined, undefined, () => {});
}

async function run(id: number, job: Job): Promise<void> {
  const abort = new AbortController();
  const answers: Current['answers'] = new Map();
  current = { id, path: job.path, abort, answers };
  let calls = 0;
  const progress = progressThrottle((news) => send({ type: 'progress', id, ...news }));
  try {
    const { value, engine } = await executeJob(job, {
      signal: abort.signal,
      log: {
        info: (message) => send({ type: 'log', id, level: 'info', message }),
        warn: (message) => send({ type: 'log', id, level: 'warn', message }),
      },
      progress: (fraction, message, metrics) => progress.report({ fraction, message, metrics }),
      alive: () => send({ type: 'alive', id }),
      parallel: (items, module, exported) =>
        new Promise((resolve, reject) => {
          if (items.length === 0) return resolve([]);
          const call = ++calls;
          answers.set(call, { resolve, reject });
          send({ type: 'parallel', id, call, items: [...items], module, export: exported });
        }),
    });
    progress.flush();
    send({ type: 'done', id, value, engine, rss: process.memoryUsage.rss() });
  } catch (thrown) {
    progress.flush();
    // Whatever a stage throws on its way out after a cancellation, the cancellation is the cause.
    const error = abort.signal.aborted ? (abort.signal.reason as unknown) : thrown;
    send({ type: 'failed', id, error: stageError(error, job.path), rss: process.memoryUsage.rss() });
  } finally {
    current = undefined;
  }
}

function die(thrown: unknown): void {
  if (current) send({ type: 'failed', id: current.id, error: stageError(thrown, current.path), rss: 0 });
  // Leaves the message time to go out; the parent replaces this process anyway.
  setTimeout(() => process.exit(1), 50);
}

process.on('message', (message: ToStageProcess) => {
  if (message.type === 'run') {
    watchParent();
    void run(message.id, message.job);
  } else if (current?.id === message.id) {
    if (message.type === 'cancel') current.abort.abort(HourglassError.fromJSON(message.error));
    else {
      const waiting = current.answers.get(message.call);
      current.answers.delete(message.call);
      if ('results' in message.answer) waiting?.resolve(message.answer.results);
      else waiting?.reject(HourglassError.fromJSON(message.answer.error));
    }
  }
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', die);
process.on('unhandledRejection', die);
// Ctrl-C in a terminal, or a service manager, reaches every process of the group; only the parent decides what it means.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

let watching = false;

/**
 * A native call can block this thread, and with it 'disconnect', for minutes. A second thread sees that the parent is gone
 * and ends the process at once, so that no stage computes for nobody.
 */
function watchParent(): void {
  if (watching) return;
  watching = true;
  const code = `const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;
  const watcher = new Worker(code, {
    eval: true,
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 8 },
  });
  watcher.on('error', () => {}); // Only a safety net: without it 'disconnect' still works.
  watcher.unref();
}

send({ type: 'ready' });

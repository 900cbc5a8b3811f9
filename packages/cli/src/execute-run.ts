import { dirname } from 'node:path';
import type { Store } from '@hourglass/artifacts';
import type { Json, Plan, RunState } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import type { Plugins, RunHeader, RunRecord, Runner } from '@hourglass/runtime';
import { createRunner, runPipeline } from '@hourglass/runtime';
import { asker } from './ask-person.ts';
import type { Binding } from './bind-options.ts';
import type { CliContext } from './context.ts';
import { isInteractive } from './context.ts';
import { EXIT } from './exit-code.ts';
import { jsonView } from './output/json-view.ts';
import { liveView } from './output/live-view.ts';
import { plainView } from './output/plain-view.ts';
import type { RunHead, RunView } from './output/run-view.ts';
import { writeJsonSummary, writeSummary } from './output/summary.ts';

export interface Execution {
  plan: Plan;
  plugins: Plugins;
  store: Store;
  /** Absolute path of the pipeline's file. */
  file: string;
  text: string;
  /** @default the folder of the file */
  baseDir?: string;
  outDir: string;
  binding: Binding;
  overrides?: Record<string, Record<string, Json>>;
  maxParallel?: number;
  plain?: boolean;
  json?: boolean;
  /** Continue an interrupted run of the same work. @default true */
  resume?: boolean;
  /** How to continue after an interruption, as one would type it. */
  again: string;
}

/** Runs a pipeline before a person's eyes (or a log's) and says what came of it. @returns the record and the exit code */
export async function executeRun(
  context: CliContext,
  execution: Execution,
): Promise<{ record: RunRecord; exitCode: number }> {
  const { plan, plugins, store, binding } = execution;
  const runner = createRunner({ store, plugins });
  const stop = interruption(runner);
  const live = !execution.json && !execution.plain && isInteractive(context);
  let view: RunView | undefined;
  let header: RunHeader | undefined;
  stop.onFirst = () => view?.notice('stopping, checkpoints are saved; Ctrl-C again stops at once');
  try {
    const record = await runPipeline({
      ...binding,
      plan,
      plugins,
      store,
      runner,
      baseDir: execution.baseDir ?? dirname(execution.file),
      outDir: execution.outDir,
      source: { file: execution.file, text: execution.text, command: execution.again },
      overrides: execution.overrides,
      maxParallel: execution.maxParallel,
      resume: execution.resume,
      signal: stop.signal,
      onBegin(begun: RunHeader, state: RunState) {
        header = begun;
        const head: RunHead = { plan, runId: begun.id, resumed: begun.resumed > 0, file: execution.file };
        view = execution.json ? jsonView(context, head) : live ? liveView(context, head) : plainView(context, head);
        view.update(state);
      },
      onEvent: (_, state) => view?.update(state),
      onProgress: (event) => view?.progress(event),
      onLog: (line) => view?.log(line),
      ask: asker({
        context,
        store,
        interactive: live,
        view: () => view,
        runId: () => header!.id,
        interrupt: stop.press,
      }),
    });
    view?.close();
    const exitCode = exitCodeOfRun(record);
    const facts = { context, store, record, again: execution.again, exitCode };
    await (execution.json ? writeJsonSummary(facts) : writeSummary({ ...facts, seen: live }));
    return { record, exitCode };
  } catch (error) {
    view?.close();
    throw error;
  } finally {
    stop.dispose();
    await runner.close();
  }
}

function exitCodeOfRun({ status, error }: RunRecord): number {
  if (status === 'succeeded') return EXIT.ok;
  if (status === 'interrupted') return EXIT.interrupted;
  return error?.code === 'GATE_FAILED' || error?.code === 'APPROVAL_REJECTED' ? EXIT.refused : EXIT.failed;
}

interface Interruption {
  signal: AbortSignal;
  onFirst?: () => void;
  press(): void;
  dispose(): void;
}

/** Ctrl-C once: stop in order. Twice: stage processes are killed (always safe) and so is this one. */
function interruption(runner: Runner): Interruption {
  const controller = new AbortController();
  const interruption: Interruption = {
    signal: controller.signal,
    press() {
      if (!controller.signal.aborted) {
        controller.abort(new HourglassError('CANCELLED', 'The run was interrupted.'));
        interruption.onFirst?.();
        return;
      }
      for (const pid of runner.pids()) kill(pid);
      process.exit(EXIT.interrupted);
    },
    dispose() {
      for (const name of SIGNALS) process.removeListener(name, interruption.press);
    },
  };
  for (const name of SIGNALS) process.on(name, interruption.press);
  return interruption;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

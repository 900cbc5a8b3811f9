import type { CliContext } from '../context.ts';
import type { RunHead, RunView } from './run-view.ts';
import { stageRows } from '@hourglass/runtime';

/** The run as one JSON object a line: `{time, type: run | stage | progress | log | notice, …}`. */
export function jsonView(context: CliContext, head: RunHead): RunView {
  const before = new Map<string, string>();
  const write = (event: Record<string, unknown>): void => {
    context.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
  };
  write({
    type: 'run',
    runId: head.runId,
    pipeline: head.plan.name,
    title: head.plan.title,
    file: head.file,
    resumed: head.resumed,
    stages: head.plan.stages.map(({ id, uses }) => ({ id, uses })),
  });
  return {
    update(state) {
      for (const {
        path,
        uses,
        status,
        reason,
        note,
        attempt,
        fan,
        error,
        gate,
        outputs,
        startedAt,
        finishedAt,
      } of stageRows(head.plan, state)) {
        const now = JSON.stringify([status, attempt, fan?.done, fan?.failed]);
        if (before.get(path) === now) continue;
        before.set(path, now);
        if (status === 'waiting' || status === 'starting') continue;
        write({
          type: 'stage',
          path,
          uses,
          status,
          reason,
          note,
          attempt,
          fan,
          error,
          gate,
          outputs,
          startedAt,
          finishedAt,
        });
      }
    },
    progress: (event) => write({ type: 'progress', ...event }),
    log: (line) => write({ type: 'log', ...line }),
    notice: (message) => write({ type: 'notice', message }),
    close() {},
  };
}

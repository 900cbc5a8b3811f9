import { listTemporalRuns, readTemporalRun, recordOf } from '@hourglass/activities/client';
import type { CliContext } from '../../context.ts';
import { openStoreFor } from '../../open-store.ts';
import { formatDuration, formatNumber, formatWhen } from '../../output/format.ts';
import { writeSummary } from '../../output/summary.ts';
import { formatTable } from '../../output/table.ts';
import { type TemporalFlags, withClient } from '../../temporal/with-client.ts';

/** `hourglass status [RUN]` */
export async function status(
  context: CliContext,
  run: string | undefined,
  flags: TemporalFlags & { store?: string; limit: number; pipeline?: string },
): Promise<void> {
  const { stdout, colors: c } = context;
  await withClient(context, flags, async (client) => {
    if (run !== undefined) {
      const found = await readTemporalRun(client, run);
      if (flags.json) {
        stdout.write(`${JSON.stringify(found)}\n`);
        return;
      }
      await writeSummary({ context, store: await openStoreFor(context, flags), record: recordOf(found), seen: false });
      for (const { path, message, attempt, lastFailure } of found.progress)
        stdout.write(
          `  ${c.cyan('▸')} ${c.bold(path)} ${message}${attempt > 1 ? c.dim(` · attempt ${attempt}`) : ''}${lastFailure ? c.yellow(` · before: ${lastFailure}`) : ''}\n`,
        );
      return;
    }
    const runs = await listTemporalRuns(client, flags);
    if (flags.json) {
      stdout.write(`${JSON.stringify(runs)}\n`);
      return;
    }
    if (runs.length === 0) {
      stdout.write('No runs on the server. Start one: hourglass submit FILE\n');
      return;
    }
    const paint: Record<string, (text: string) => string> = { COMPLETED: c.green, FAILED: c.red, RUNNING: c.cyan };
    const rows = runs.map(({ workflowId, execution, status: state, stages, metric, startedAt, closedAt }) => [
      workflowId,
      (paint[execution] ?? c.yellow)(execution === 'RUNNING' && state ? state : execution.toLowerCase()),
      formatWhen(Date.parse(startedAt), Date.now()),
      closedAt ? formatDuration(Date.parse(closedAt) - Date.parse(startedAt)) : '',
      stages.join(', '),
      metric === undefined ? '' : formatNumber(metric),
    ]);
    const columns = [
      { title: 'RUN' },
      { title: 'STATE' },
      { title: 'WHEN' },
      { title: 'TIME', align: 'right' as const },
      { title: 'STAGE', shrink: true },
      { title: 'METRIC', align: 'right' as const },
    ];
    stdout.write(`${formatTable(columns, rows, { width: (stdout.columns ?? 120) - 1 }).join('\n')}\n`);
  });
}

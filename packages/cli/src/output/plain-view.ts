import type { RunState } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { formatDuration } from './format.ts';
import { newsFilter } from './news.ts';
import { progressBook } from './progress-book.ts';
import type { RunHead, RunView } from './run-view.ts';
import { fanText, firstLine, markOf, progressText } from './stage-line.ts';
import { stageRows, type StageRow } from '@hourglass/runtime';
import { pad, textWidth } from './text-width.ts';

/** Progress of a stage is said at most so often, in milliseconds. */
const PROGRESS_EVERY = 5000;

/** The run as lines that only grow: for logs, pipes and CI. */
export function plainView(context: CliContext, head: RunHead): RunView {
  const { stdout, colors: c } = context;
  const started = Date.now();
  const book = progressBook();
  const isNews = newsFilter();
  const before = new Map<string, string>();
  const said = new Map<string, number>();
  let names = 0;
  const line = (path: string, text: string): void => {
    const time = pad(formatDuration(Date.now() - started), 10, 'right');
    stdout.write(`${c.dim(time)}  ${pad(path, names)}  ${text}\n`);
  };
  stdout.write(`${c.bold(head.plan.name)}  run ${head.runId}${head.resumed ? ', continued' : ''}\n`);

  return {
    update(state: RunState) {
      const rows = stageRows(head.plan, state);
      names = Math.max(names, ...rows.map(({ path }) => textWidth(path)));
      for (const row of rows) {
        // A fan-out speaks at every tenth of its items.
        const tenth =
          row.fan && row.fan.total > 0 ? Math.floor(((row.fan.done + row.fan.failed) / row.fan.total) * 10) : 0;
        const now = `${row.status} ${row.attempt} ${row.status === 'running' ? tenth : ''}`;
        // A stage that is looked up again after an interruption is still the one that was said to run.
        if (before.get(row.path) === now || row.status === 'starting') continue;
        before.set(row.path, now);
        const text = changeText(row);
        if (text) line(row.path, `${row.status === 'running' ? c.cyan('▸') : markOf(row, c)} ${text}`);
        if (row.status !== 'running') book.forget(row.path);
      }
    },
    progress(event) {
      const now = Date.now();
      const progress = book.update(event, now);
      const first = !said.has(event.path);
      if (!first && now - said.get(event.path)! < PROGRESS_EVERY) return;
      said.set(event.path, now);
      if (first && event.fraction === 0) return;
      const percent = event.fraction === undefined ? '' : `${Math.floor(event.fraction * 100)} % `;
      line(event.path, c.dim(`  ${percent}${progressText(progress)}`));
    },
    log({ path, level, message }) {
      if (level === 'warn' && !isNews({ path, message })) return;
      line(path, level === 'warn' ? `${c.yellow('! warning')} ${message}` : c.dim(`  ${message}`));
    },
    notice(text) {
      stdout.write(`${c.yellow(text)}\n`);
    },
    close() {},
  };
}

function changeText(row: StageRow): string {
  const reason = row.reason ? `: ${row.reason}` : '';
  const took =
    row.startedAt !== undefined && row.finishedAt !== undefined
      ? ` in ${formatDuration(row.finishedAt - row.startedAt)}`
      : '';
  switch (row.status) {
    case 'waiting':
    case 'starting':
      return '';
    case 'running':
      if (row.fan) return row.fan.total > 0 ? fanText(row) : 'started';
      return row.attempt > 1 ? `started, attempt ${row.attempt} of ${row.maxAttempts}` : `started${reason}`;
    case 'backoff':
      return `attempt ${row.attempt} of ${row.maxAttempts} failed; again in ${formatDuration(Math.max(0, (row.until ?? 0) - Date.now()))}: ${firstLine(row.error?.message ?? '')}`;
    case 'approval':
      return 'waits for approval';
    case 'held':
      return `failed, held open for a person: ${firstLine(row.error?.message ?? '')}`;
    case 'cached':
      return row.fan ? fanText(row) : 'cached';
    case 'done':
      return [
        `done${took}`,
        fanText(row),
        row.gate ? `gate passed${row.gate.compared ? `: ${row.gate.compared}` : ''}` : '',
      ]
        .filter(Boolean)
        .join(', ');
    case 'refused':
      return `gate failed${took}: ${row.gate?.compared ?? row.gate?.expression}`;
    case 'failed':
      return `failed${took}: ${firstLine(row.error?.message ?? '')}`;
    default:
      return row.note ? `${row.status}: ${row.note}` : row.status;
  }
}

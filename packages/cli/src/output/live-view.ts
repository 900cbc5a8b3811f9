import type { RunState } from '@hourglass/core';
import type { CliContext } from '../context.ts';
import { formatDuration } from './format.ts';
import { newsFilter } from './news.ts';
import { painter } from './painter.ts';
import { progressBook } from './progress-book.ts';
import type { RunHead, RunView } from './run-view.ts';
import { nameOf, stageLine } from './stage-line.ts';
import { SETTLED, stageRows } from '@hourglass/runtime';
import { textWidth } from './text-width.ts';

const FRAME_MS = 100;

/** The run as a block that is redrawn in place. */
export function liveView(context: CliContext, head: RunHead): RunView {
  const { stdout, colors: c } = context;
  const book = progressBook();
  const isNews = newsFilter();
  const screen = painter(stdout);
  const started = Date.now();
  let state: RunState | undefined;
  let frame = 0;
  let dirty = true;
  let footer = '';

  const draw = (): void => {
    if (!state) return;
    const rows = stageRows(head.plan, state);
    const width = (stdout.columns ?? 80) - 1;
    const names = Math.min(
      Math.max(...rows.map((row) => textWidth('  '.repeat(row.depth) + nameOf(row)))),
      Math.floor(width / 3),
    );
    const now = Date.now();
    const settled = rows.filter((row) => SETTLED.has(row.status)).length;
    const lines = rows.map((row) => stageLine(row, book.latest(row.path), c, { width, names, now, frame }));
    const status = ` ${c.dim(`${settled} of ${rows.length} stages · ${formatDuration(now - started)}`)}${footer ? `  ${c.yellow(footer)}` : ''}`;
    screen.paint([...fold(lines, rows, stdout.rows), '', status]);
  };

  /** Settled stages give way where the screen is too low for all. */
  const fold = (lines: string[], rows: { status: string }[], height = 40): string[] => {
    const room = Math.max(6, height - 4);
    if (lines.length <= room) return lines;
    const isDone = (i: number): boolean => rows[i]!.status === 'cached' || rows[i]!.status === 'done';
    const isQuiet = (i: number): boolean => isDone(i) || rows[i]!.status === 'waiting';
    const loud = lines.filter((_, i) => !isQuiet(i));
    const quiet = lines.map((_, i) => i).filter(isQuiet);
    const kept = new Set(quiet.slice(0, Math.max(0, room - loud.length - 1)));
    const shown = lines.filter((_, i) => !isQuiet(i) || kept.has(i));
    return [...shown.slice(0, room - 1), c.dim(`   … ${lines.length - Math.min(shown.length, room - 1)} stages more`)];
  };

  const title = head.plan.title ? `  ${head.plan.title}` : '';
  stdout.write(
    `${c.bold(head.plan.name)}${c.dim(`${title}  run ${head.runId}${head.resumed ? ', continued' : ''}`)}\n\n`,
  );
  const timer = setInterval(() => {
    frame++;
    if (dirty || frame % 2 === 0) draw();
    dirty = false;
  }, FRAME_MS);
  // A killed process must not leave the terminal without a cursor.
  const restore = (): void => screen.done();
  process.once('exit', restore);

  return {
    update(next) {
      if (!state) {
        state = next;
        draw();
      }
      state = next;
      dirty = true;
    },
    progress(event) {
      book.update(event, Date.now());
      dirty = true;
    },
    log({ path, level, message }) {
      if (level === 'warn' && isNews({ path, message })) screen.print(` ${c.yellow('!')} ${c.bold(path)}  ${message}`);
    },
    notice(text) {
      footer = text;
      draw();
    },
    close() {
      clearInterval(timer);
      footer = '';
      draw();
      process.removeListener('exit', restore);
      restore();
    },
  };
}

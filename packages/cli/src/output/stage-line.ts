import type { Colors } from '../colors.ts';
import { formatDuration, formatNumber } from './format.ts';
import type { Progress } from './progress-book.ts';
import type { StageRow } from '@hourglass/runtime';
import { pad, textWidth, truncate } from './text-width.ts';

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface LineLayout {
  width: number;
  /** Width of the column of names. */
  names: number;
  now: number;
  /** Counts redraws, for the spinner. */
  frame: number;
}

/** Mark of a row: what it is at a glance, also without colours. */
export function markOf({ status }: Pick<StageRow, 'status'>, c: Colors, frame = 0): string {
  switch (status) {
    case 'running':
    case 'starting':
      return c.cyan(SPINNER[frame % SPINNER.length]!);
    case 'backoff':
      return c.yellow('↻');
    case 'approval':
    case 'held':
      return c.yellow('?');
    case 'cached':
      return c.green('≡');
    case 'done':
      return c.green('✓');
    case 'failed':
    case 'refused':
      return c.red('✗');
    case 'skipped':
      return c.dim('–');
    case 'cancelled':
      return c.yellow('■');
    default:
      return c.dim('·');
  }
}

/** One stage in one line of at most `width` columns. */
export function stageLine(row: StageRow, progress: Progress | undefined, c: Colors, layout: LineLayout): string {
  const indent = '  '.repeat(row.depth);
  const name = pad(truncate(indent + nameOf(row), layout.names), layout.names);
  const time = pad(timeOf(row, layout.now), 10, 'right');
  const head = ` ${markOf(row, c, layout.frame)} ${row.status === 'waiting' ? c.dim(name) : name} ${c.dim(time)}  `;
  return (
    head + truncate(detailOf(row, progress, c, layout, layout.width - textWidth(head)), layout.width - textWidth(head))
  );
}

export const nameOf = (row: Pick<StageRow, 'path' | 'depth'>): string =>
  row.depth > 0 ? row.path.slice(row.path.lastIndexOf('.') + 1) : row.path;

function timeOf(row: StageRow, now: number): string {
  if (row.status === 'cached' || row.startedAt === undefined) return '';
  if (row.status === 'skipped' || row.status === 'blocked') return '';
  return formatDuration(Math.max(0, (row.finishedAt ?? now) - row.startedAt));
}

function detailOf(row: StageRow, progress: Progress | undefined, c: Colors, layout: LineLayout, room: number): string {
  switch (row.status) {
    case 'waiting':
      return row.needs.length ? c.dim(`waits for ${row.needs.join(', ')}`) : '';
    case 'starting':
      return c.dim(row.reason ?? '');
    case 'running':
      return runningText(row, progress, c, room);
    case 'backoff':
      return c.yellow(
        `attempt ${row.attempt} of ${row.maxAttempts} failed; again in ${formatDuration(Math.max(0, (row.until ?? layout.now) - layout.now))}`,
      );
    case 'approval':
      return c.yellow('waits for approval');
    case 'held':
      return c.yellow(`failed, held open for a person: ${firstLine(row.error?.message ?? '')}`);
    case 'cached':
      return c.dim(row.fan ? fanText(row) : 'cached');
    case 'done':
      return doneText(row, c);
    case 'refused':
      return c.red(`gate: ${row.gate?.compared ?? row.gate?.expression ?? ''}`);
    case 'failed':
      return c.red(firstLine(row.error?.message ?? 'failed'));
    default:
      return c.dim(row.note ?? row.status);
  }
}

function doneText(row: StageRow, c: Colors): string {
  const parts = [
    row.fan ? fanText(row) : '',
    row.gate ? `gate passed${row.gate.compared ? `: ${row.gate.compared}` : ''}` : '',
    row.reason ?? '',
  ].filter(Boolean);
  return c.dim(parts.join(' · '));
}

/** `18 of 20 items, 2 failed`. */
export function fanText({ fan }: StageRow): string {
  if (!fan || fan.total === 0) return '';
  const cached = fan.cached ? `, ${fan.cached === fan.done ? 'all' : fan.cached} cached` : '';
  const failed = fan.failed ? `, ${fan.failed} failed` : '';
  const selected = fan.selected === undefined ? '' : `, selected ${fan.selected}`;
  return `${fan.done} of ${fan.total} ${fan.what}${cached}${failed}${selected}`;
}

function runningText(row: StageRow, progress: Progress | undefined, c: Colors, room: number): string {
  const fraction = row.fan && row.fan.total > 0 ? (row.fan.done + row.fan.failed) / row.fan.total : progress?.fraction;
  const words = [
    row.attempt > 1 ? c.yellow(`attempt ${row.attempt}`) : '',
    row.fan ? fanText(row) : '',
    progress ? progressText(row.fan ? { ...progress, left: undefined } : progress) : '',
  ].filter(Boolean);
  if (fraction === undefined) return words.join(' · ') || c.dim(row.reason ?? '');
  const size = room >= 50 ? 16 : 8;
  return `${bar(fraction, size, c)} ${words.join(' · ')}`;
}

/** `epoch 40/200 · loss 0.0412 · 12 s left`. Losses and the time left are added where the message does not say them. */
export function progressText({ message, metrics = {}, left }: Progress): string {
  const shown = Object.entries(metrics)
    .filter(([name, value]) => /loss/i.test(name) && Number.isFinite(value) && !message.includes(name))
    .map(([name, value]) => [name, formatNumber(value)] as const)
    .filter(([, text]) => !message.includes(text))
    .map(([name, text]) => `${name} ${text}`);
  const remaining = left === undefined || /\bETA\b/.test(message) ? '' : `${formatDuration(Math.max(1000, left))} left`;
  return [message, ...shown, remaining].filter(Boolean).join(' · ');
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function bar(fraction: number, size: number, c: Colors): string {
  const clamped = Math.min(1, Math.max(0, fraction));
  const eighths = Math.round(clamped * size * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
  return `${c.cyan(full)}${c.dim('░'.repeat(Math.max(0, size - full.length)))} ${String(Math.floor(clamped * 100)).padStart(3)} %`;
}

export const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

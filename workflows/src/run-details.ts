import { formatDuration, type Plan, type RunState } from '@hourglass/core/interpreter';
import type { RunNotes } from './contract.ts';
import { stageRows } from './stage-rows.ts';

const MARKS: Record<string, string> = {
  waiting: '·',
  starting: '▸',
  running: '▸',
  done: '✓',
  cached: '✓',
  failed: '✗',
  cancelled: '✗',
  blocked: '–',
  skipped: '–',
};
const LONGEST_NOTE = 160;
/** The UI sets its tables without any space between columns. */
const GAP = '\u00a0\u00a0';

/** A run as Markdown: what the Temporal UI shows as the workflow's current details. */
export function runDetails(plan: Plan, state: RunState, notes: RunNotes): string {
  const lines = [
    `**${cell(plan.title ?? plan.name)}** · ${statusLine(state)} · partition \`${state.run.partition}\` · seed ${state.seed}`,
    '',
    `| | stage | plugin | state${GAP} | time | |`,
    '|---|---|---|---|---|---|',
    ...stageRows(plan, state).map(({ path, uses, status, note, reason, duration }) => {
      const said = [notes.curves[path], note].filter(Boolean).join(' · ') || (reason ?? '');
      const short = said.length > LONGEST_NOTE ? `${said.slice(0, LONGEST_NOTE)}…` : said;
      const time = duration === undefined ? '' : formatDuration(duration).replaceAll(' ', '\u00a0');
      return `| ${MARKS[status] ?? '?'} | ${path} | \`${uses}\`${GAP} | ${status}${GAP} | ${time}${GAP} | ${cell(short)} |`;
    }),
  ];
  for (const { path, message } of notes.warnings.slice(-5)) lines.push('', `⚠ **${path}** ${cell(message)}`);
  const published = Object.entries(state.published).filter(([, { version }]) => version !== undefined);
  if (published.length > 0)
    lines.push('', `Published: ${published.map(([name, { version }]) => `\`${name}@${version}\``).join(', ')}`);
  if (notes.report)
    lines.push(
      '',
      `Report: \`hourglass artifacts show ${notes.report.digest.slice(0, 12)}\` in \`${notes.report.store}\``,
    );
  return lines.join('\n');
}

/** One word, or what the run waits for. */
export function statusLine(state: RunState): string {
  if (state.status !== 'running') return state.status;
  const waiting = Object.entries(state.stages).find(([, { status }]) => status === 'approval' || status === 'held');
  if (waiting) return `waiting for a person (${waiting[0]}${state.paused ? '; paused' : ''})`;
  return state.paused ? 'paused' : 'running';
}

function cell(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

import { formatDuration } from '@hourglass/core';
import { baselinesOf, numbersByKey, scalarsOf } from '@hourglass/runtime';
import { formatNumber, shortJson } from './format.ts';
import { isProfile } from './profile-section.ts';
import type { RunReport } from './run-report.ts';
import { fanText } from './stage-table.ts';
import { lookOf, runLook } from './status.ts';

/** Items listed of a fan-out. */
const MOST_ITEMS = 20;

/** A summary for a pull request: stages, gates, metrics beside their baselines, failures. */
export function renderMarkdown({ run, stages, metrics, files, warnings }: RunReport): string {
  const look = runLook(run.status);
  const took = run.took === undefined ? '' : ` in ${formatDuration(run.took)}`;
  const params = Object.entries(run.params).map(([name, value]) => `${name} = ${shortJson(value)}`);
  const lines = [
    `## ${look.mark} ${cell(run.title ?? run.pipeline)} ${look.word}${took}`,
    '',
    [`run \`${run.id}\``, `seed ${run.seed}`, run.engine.class ?? '', ...params.map(cell)].filter(Boolean).join(' · '),
    '',
    ...tableLines(
      ['stage', '', 'time', 'why'],
      stages.map((stage) => [
        stage.path,
        `${lookOf(stage.status).mark} ${lookOf(stage.status).word}`,
        stage.took !== undefined && stage.status !== 'cached' ? formatDuration(stage.took) : '',
        [stage.reason ?? stage.note, stage.fan && fanText(stage.fan)].filter(Boolean).join(' · '),
      ]),
    ),
  ];
  for (const { path, gate } of stages)
    if (gate)
      lines.push(
        `- ${gate.passed ? '✓' : '✗'} gate of **${cell(path)}**: \`${(gate.compared ?? gate.expression).replaceAll('`', "'")}\``,
      );
  for (const { path, value } of metrics.filter((entry) => !isProfile(entry.value))) {
    lines.push(...itemLines(path, numbersByKey(value)));
    const own = scalarsOf(value);
    const rivals = Object.entries(baselinesOf(value));
    const names = Object.keys(own);
    if (names.length === 0) continue;
    lines.push(
      '',
      ...tableLines(
        [path, ...names],
        [['this model', own] as const, ...rivals].map(([rival, numbers]) => [
          rivals.length > 0 ? rival : '',
          ...names.map((name) => formatNumber(numbers[name])),
        ]),
      ),
    );
  }
  for (const { path, message } of warnings) lines.push('', `> **${cell(path)}** ${cell(message)}`);
  for (const { path, error, failures } of stages) {
    if (error) lines.push('', `**${cell(path)}** failed: \`${error.code}\` ${cell(error.message)}`);
    const listed = failures.slice(0, MOST_ITEMS);
    lines.push(
      ...(listed.length > 0 ? [''] : []),
      ...listed.map(
        ({ key, error: why }) =>
          `- **${cell(path)}** ${cell(key)} failed: \`${why.code}\` ${cell(shortJson(why.message, 200))}`,
      ),
      ...moreLine(failures.length - listed.length),
    );
  }
  if (files.length > 0) lines.push('', ...files.map(({ uri }) => `- wrote \`${uri.replaceAll('`', "'")}\``));
  return `${lines.join('\n')}\n`;
}

/** What a forEach collected, a line an item. */
function itemLines(path: string, items: ReturnType<typeof numbersByKey>): string[] {
  const rows = Object.entries(items);
  if (rows.length === 0) return [];
  const names = [...new Set(rows.flatMap(([, numbers]) => Object.keys(numbers)))];
  const shown = rows.slice(0, MOST_ITEMS);
  return [
    '',
    ...tableLines(
      [path, ...names],
      shown.map(([key, numbers]) => [key, ...names.map((name) => formatNumber(numbers[name]))]),
    ),
    ...moreLine(rows.length - shown.length),
  ];
}

const moreLine = (count: number): string[] =>
  count > 0 ? [`${count} more; all of them: hourglass report --json`] : [];

export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** Text of data as text: neither table cells nor markup. */
const cell = (text: string): string => text.replace(/[|<>\\*_`[\]]/g, '\\$&').replace(/\s*\n\s*/g, ' ');

import { remedyOf, type PointState, type RunState, type StagePlan } from '@hourglass/core';
import type { RunRecord } from '@hourglass/runtime';
import type { Colors } from '../colors.ts';
import type { CliContext } from '../context.ts';
import { causesOf } from './causes.ts';
import { formatNumber, plural } from './format.ts';
import { numbersByKey } from '@hourglass/runtime';
import { firstLine } from './stage-line.ts';
import { formatTable } from './table.ts';
import { wrap } from './text-width.ts';

/** Items of a table of metrics at the most: the rest is in the artifact. */
const ITEMS_SHOWN = 20;

/** Every point of a sweep that was tried: its score, what became of it, and which was selected. */
export function sweepTable(stage: StagePlan, state: RunState, c: Colors, width: number): string[] {
  const { fan } = state.stages[stage.id] ?? {};
  const points = fan?.points ?? [];
  if (!fan || points.length === 0) return [];
  const { select, until } = stage.fanOut!;
  const title = select ? select.metric.replace(/^metrics\./, '') : '';
  const rows = points.map((point) => [
    point.key,
    typeof point.score === 'number' ? formatNumber(point.score) : '',
    remark(point, fan.selected, until, c),
  ]);
  const columns = [
    { title: stage.id, shrink: true, minimum: 16 },
    { title, align: 'right' as const },
    { title: '', shrink: true, minimum: 16 },
  ];
  const untried = fan.total - points.length;
  return [
    ...formatTable(columns, rows, { width, indent: '  ', header: c.dim }),
    ...(untried > 0 ? [c.dim(`  ${plural(untried, 'point')} not tried`)] : []),
  ];
}

function remark(point: PointState, selected: string | undefined, until: string | undefined, c: Colors): string {
  if (point.key === selected) return c.green(`← selected${point.satisfied ? `: ${until}` : ''}`);
  if (point.error) return c.red(`${point.status}: ${point.error.code}: ${firstLine(point.error.message)}`);
  if (point.score === null) return c.yellow('no finite score');
  return point.satisfied ? c.dim(String(until)) : '';
}

/** Metrics that a forEach collected by key: one row an item. Empty for metrics of any other shape. */
export function itemTable(title: string, value: unknown, c: Colors, width: number): string[] {
  const numbers = Object.entries(numbersByKey(value));
  const names = [...new Set(numbers.flatMap(([, scalars]) => Object.keys(scalars)))].slice(0, 6);
  if (names.length === 0) return [];
  const rows = numbers
    .slice(0, ITEMS_SHOWN)
    .map(([key, scalars]) => [
      key,
      ...names.map((name) => (scalars[name] === undefined ? '–' : formatNumber(scalars[name] ?? NaN))),
    ]);
  const columns = [
    { title, shrink: true, minimum: 16 },
    ...names.map((name) => ({ title: name, align: 'right' as const })),
  ];
  const more = numbers.length - rows.length;
  return [
    ...formatTable(columns, rows, { width, indent: '  ', header: c.dim }),
    ...(more > 0 ? [c.dim(`  ${plural(more, 'item')} more; all of them: hourglass runs show --json`)] : []),
  ];
}

/** Items that failed while the stage went on without them: which, why, and what to do. */
export function failedItems({ plan, state }: RunRecord, { colors: c, debug }: CliContext, width: number): string[] {
  return plan.stages.flatMap(({ id, fanOut }) => {
    const { fan, status } = state.stages[id] ?? {};
    if (!fan || fan.errors.length === 0 || fanOut?.kind === 'sweep') return [];
    // A stage that failed says so itself, with the first of these.
    const known = status === 'failed' ? fan.errors.slice(1) : fan.errors;
    const rest = fan.failed - fan.errors.length;
    return [
      ...known.flatMap(({ key, error }) => [
        ` ${c.yellow('!')} ${c.bold(`${id}[${key}]`)} failed: ${error.code}`,
        ...wrap(firstLine(error.message), width - 6).map((line) => `     ${line}`),
        `     ${c.cyan('→')} ${remedyOf(error)}`,
        ...(debug ? causesOf(error).map((line) => c.dim(`     ${line}`)) : []),
      ]),
      ...(rest > 0 ? [c.dim(`   and ${plural(rest, 'item')} more of ${id}`)] : []),
    ];
  });
}

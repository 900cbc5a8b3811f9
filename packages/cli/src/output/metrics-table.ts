import { baselinesOf, better, scalarsOf, type MetricNumbers } from '@hourglass/runtime';
import type { Colors } from '../colors.ts';
import { formatNumber } from './format.ts';
import { formatTable } from './table.ts';
import { textWidth } from './text-width.ts';

/** The model and its baselines side by side; the best of each metric stands out. */
export function comparisonTable(title: string, value: unknown, c: Colors, width: number): string[] {
  const model = scalarsOf(value);
  const baselines = baselinesOf(value);
  const names = Object.keys(model).filter((name) => Object.values(baselines).some((numbers) => name in numbers));
  const rivals: [string, MetricNumbers][] = [['this model', model], ...Object.entries(baselines)];
  const shown = fitting(names, rivals, width - 16);
  const rows = rivals.map(([rival, numbers]) => [
    rival,
    ...shown.map((name) => {
      const own = numbers[name];
      if (own === undefined || own === null) return '–';
      const direction = better(name);
      const all = rivals
        .map(([, other]) => other[name])
        .filter((n): n is number => typeof n === 'number' && !Number.isNaN(n));
      const best = direction === 'low' ? Math.min(...all) : direction === 'high' ? Math.max(...all) : undefined;
      return own === best ? c.bold(c.green(formatNumber(own))) : formatNumber(own);
    }),
  ]);
  const columns = [{ title, shrink: true }, ...shown.map((name) => ({ title: name, align: 'right' as const }))];
  return formatTable(columns, rows, { width, indent: '  ', header: c.dim });
}

/** As many metrics as find room, in their order. */
function fitting(names: string[], rivals: [string, MetricNumbers][], room: number): string[] {
  let used = 0;
  return names.filter((name) => {
    const cells = rivals.map(([, numbers]) => textWidth(formatNumber(numbers[name] ?? 0)));
    used += Math.max(name.length, ...cells) + 2;
    return used <= room;
  });
}

/** `loss 0.0412 · epochs 120`: the numbers of a stage in one line. */
export function scalarLine(value: unknown): string {
  return Object.entries(scalarsOf(value))
    .map(([name, number]) => `${name} ${number === null ? 'null' : formatNumber(number)}`)
    .join(' · ');
}

import type { Colors } from '../colors.ts';
import { formatNumber } from './format.ts';
import { formatTable } from './table.ts';
import { textWidth } from './text-width.ts';

type Numbers = Record<string, number | null>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Plain numbers of a metrics value, in their order. NaN and infinities may have become null or text on the way. */
export function scalarsOf(value: unknown): Numbers {
  if (!isRecord(value)) return {};
  const found: Numbers = {};
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry === 'number') found[name] = entry;
    else if (entry === 'NaN' || entry === 'Infinity' || entry === '-Infinity') found[name] = Number(entry);
  }
  return found;
}

/** Baselines of a metrics value by name: `{ baselines: { knn: { rmse } } }`. */
export function baselinesOf(value: unknown): Record<string, Numbers> {
  const baselines = isRecord(value) ? value.baselines : undefined;
  if (!isRecord(baselines)) return {};
  const entries = Object.entries(baselines).map(([name, entry]) => [name, scalarsOf(entry)] as const);
  return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers).length > 0));
}

/** In which direction a metric is better, where its name says so. */
function better(name: string): 'low' | 'high' | undefined {
  if (/(^|[a-z])(rmse|mae|mse|nrmse|loss|error|distance|divergence)$/i.test(name)) return 'low';
  if (/^(r2|accuracy|auroc|auprc|psnr|ssim|f1|precision|correlation|recall.*|.*accuracy|explained.*)$/i.test(name))
    return 'high';
  return undefined;
}

/** The model and its baselines side by side; the best of each metric stands out. */
export function comparisonTable(title: string, value: unknown, c: Colors, width: number): string[] {
  const model = scalarsOf(value);
  const baselines = baselinesOf(value);
  const names = Object.keys(model).filter((name) => Object.values(baselines).some((numbers) => name in numbers));
  const rivals: [string, Numbers][] = [['this model', model], ...Object.entries(baselines)];
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
function fitting(names: string[], rivals: [string, Numbers][], room: number): string[] {
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

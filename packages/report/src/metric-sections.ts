import { baselinesOf, better, numbersByKey, scalarsOf } from '@hourglass/runtime';
import { formatNumber } from './format.ts';
import { html, type Html } from './html.ts';
import { table } from './page.ts';
import type { StageMetrics } from './run-report.ts';

/** Lines of a nested table; the rest is in `--json`. */
const MOST_ROWS = 200;

/** Metrics of one stage: beside its baselines where it has some, then what it says by column, class or key. */
export function metricSection({ path, output, value }: StageMetrics): Html | undefined {
  const baselines = baselinesOf(value);
  const own = scalarsOf(value);
  const parts = [
    Object.keys(baselines).length > 0 ? comparison(own, baselines) : numbers(own),
    byKey(value),
    ...Object.entries((value ?? {}) as Record<string, unknown>)
      .filter(([name]) => name !== 'baselines')
      .map(([name, inner]) => keyed(name, inner)),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return html`<h3>${path}${output === 'metrics' ? '' : ` · ${output}`}</h3>
    ${parts}`;
}

function comparison(
  own: Record<string, number | null>,
  baselines: Record<string, Record<string, number | null>>,
): Html {
  const rivals = [['this model', own] as const, ...Object.entries(baselines)];
  const compared = Object.keys(own).filter((name) => Object.values(baselines).some((numbers) => name in numbers));
  const best = Object.fromEntries(
    compared.map((name) => [
      name,
      bestOf(
        name,
        rivals.map(([, n]) => n[name]),
      ),
    ]),
  );
  const rest = Object.fromEntries(Object.entries(own).filter(([name]) => !compared.includes(name)));
  return html`${table(
    [{ title: '' }, ...compared.map((title) => ({ title, number: true }))],
    rivals.map(
      ([rival, values]) =>
        html`<tr>
          <td>${rival}</td>
          ${compared.map((name) => {
            const value = values[name];
            const isBest = value !== undefined && value !== null && value === best[name];
            return html`<td class="n ${isBest ? 'best' : ''}">${formatNumber(value)}${isBest ? ' ★' : ''}</td>`;
          })}
        </tr>`,
    ),
  )}${numbers(rest)}`;
}

function bestOf(name: string, values: readonly (number | null | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => typeof value === 'number' && !Number.isNaN(value));
  const direction = better(name);
  if (direction === undefined || known.length < 2) return undefined;
  return direction === 'low' ? Math.min(...known) : Math.max(...known);
}

function numbers(values: Record<string, number | null>): Html | undefined {
  const entries = Object.entries(values);
  if (entries.length === 0) return undefined;
  return html`<dl class="facts">
    ${entries.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${formatNumber(value)}</dd>
        </div>`,
    )}
  </dl>`;
}

/** What a forEach collected: a line an item. */
function byKey(value: unknown): Html | undefined {
  const items = Object.entries(numbersByKey(value));
  if (items.length === 0) return undefined;
  const shown = items.slice(0, MOST_ROWS);
  const more =
    items.length > shown.length
      ? html`<p class="muted">${items.length - shown.length} more; all of them: hourglass report --json</p>`
      : undefined;
  return html`${numbersTable('', shown)}${more}`;
}

/** A record of records, such as metrics by column, as a table. */
function keyed(name: string, value: unknown): Html | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const rows = Object.entries(value).map(([key, inner]) => [key, scalarsOf(inner)] as const);
  if (!rows.some(([, numbers]) => Object.keys(numbers).length > 0)) return undefined;
  const shown = rows.slice(0, MOST_ROWS);
  return html`<details>
    <summary>${name}: ${rows.length}${rows.length > shown.length ? `, the first ${shown.length} of them` : ''}</summary>
    ${numbersTable(name, shown)}
  </details>`;
}

function numbersTable(title: string, rows: readonly (readonly [string, Record<string, number | null>])[]): Html {
  const columns = [...new Set(rows.flatMap(([, numbers]) => Object.keys(numbers)))];
  return table(
    [{ title }, ...columns.map((name) => ({ title: name, number: true }))],
    rows.map(
      ([key, numbers]) =>
        html`<tr>
          <td>${key}</td>
          ${columns.map((column) => html`<td class="n">${formatNumber(numbers[column])}</td>`)}
        </tr>`,
    ),
  );
}

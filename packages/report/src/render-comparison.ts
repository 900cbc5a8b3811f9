import { formatDuration } from '@hourglass/core';
import { better } from '@hourglass/runtime';
import type { Comparison, Compared } from './compare-runs.ts';
import { curveSpec } from './curve-spec.ts';
import { beginPage } from './draw-figure.ts';
import { formatNumber, shortJson } from './format.ts';
import { html, type Html } from './html.ts';
import { page, section, table, themeSwitch } from './page.ts';
import { figureCard } from './render-html.ts';
import { tableLines } from './render-markdown.ts';
import type { RunReport } from './run-report.ts';
import { runLook } from './status.ts';

/** Value and what it is from the first run's: `0.0612 (−3.1 %)`. */
export function withDelta({ values }: Compared<number>, i: number): string {
  const [first] = values;
  const value = values[i];
  if (value === undefined) return '–';
  if (i === 0 || first === undefined || value === first || !Number.isFinite(value) || !first)
    return formatNumber(value);
  const percent = (100 * (value - first)) / Math.abs(first);
  return `${formatNumber(value)} (${percent > 0 ? '+' : '−'}${formatNumber(Math.abs(Number(percent.toPrecision(2))))} %)`;
}

export function comparisonMarkdown({ runs, differences, metrics }: Comparison): string {
  const heads = runs.map(({ id }) => id);
  const lines = tableLines(
    ['', ...heads],
    [
      ['status', ...runs.map(({ status }) => status)],
      ['took', ...runs.map(({ took }) => (took === undefined ? '' : formatDuration(took)))],
      ...differences.map(({ name, values }) => [name, ...values.map((value) => shortJson(value ?? '–', 60))]),
    ],
  );
  const numbers = tableLines(
    ['metric', ...heads],
    metrics.map((row) => [row.name, ...runs.map((_, i) => withDelta(row, i))]),
  );
  return `${[...lines, ...numbers].join('\n')}\n`;
}

/** Runs side by side as one HTML file, their trainings laid over one another. */
export async function comparisonHtml(comparison: Comparison, reports: readonly RunReport[]): Promise<string> {
  beginPage();
  const { runs, differences, metrics } = comparison;
  const places = [...new Set(reports.flatMap(({ curves }) => curves.map(({ path }) => path)))];
  const curves = await Promise.all(
    places.map((path) => {
      const found = reports.flatMap(({ run, curves: all }) =>
        all.filter((curve) => curve.path === path).map((curve) => ({ curve, label: run.id })),
      );
      const spec = curveSpec(
        found.map(({ curve }) => curve),
        found.map(({ label }) => label),
      );
      return figureCard({ path, id: 'curve', title: `${path}: loss by epoch`, spec });
    }),
  );
  const heads = runs.map(({ id }) => ({ title: id, number: true }));
  return page(
    `${runs.length} runs side by side`,
    html`<header>
        <h1>${runs.length} runs side by side</h1>
        ${themeSwitch()}
      </header>
      ${section(
        'runs',
        'Runs',
        table(
          [{ title: 'run' }, { title: 'pipeline' }, { title: '' }, { title: 'took', number: true }],
          runs.map(({ id, pipeline, status, took }) => {
            const look = runLook(status);
            return html`<tr>
              <td>${id}</td>
              <td>${pipeline}</td>
              <td class="${look.tone}">${look.mark} ${look.word}</td>
              <td class="n">${took === undefined ? '' : formatDuration(took)}</td>
            </tr>`;
          }),
        ),
      )}
      ${section(
        'differences',
        'What differs',
        differences.length === 0
          ? html`<p class="muted">Nothing: the same pipeline, options, seed and sources.</p>`
          : table(
              [{ title: '' }, ...heads],
              differences.map(
                ({ name, values }) =>
                  html`<tr>
                    <td>${name}</td>
                    ${values.map((value) => html`<td class="n">${shortJson(value ?? '–', 60)}</td>`)}
                  </tr>`,
              ),
            ),
      )}
      ${section('metrics', 'Metrics', metrics.length > 0 && table([{ title: 'metric' }, ...heads], metrics.map(metricRow)))}
      ${section('training', 'Training', curves.length > 0 && html`<div class="figures">${curves}</div>`)}`,
  );
}

function metricRow(row: Compared<number>): Html {
  const known = row.values.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  const direction = better(row.name.slice(row.name.lastIndexOf('.') + 1));
  const distinct = new Set(known).size > 1;
  const best =
    direction === undefined || !distinct ? undefined : direction === 'low' ? Math.min(...known) : Math.max(...known);
  return html`<tr>
    <td>${row.name}</td>
    ${row.values.map((value, i) => html`<td class="n ${value !== undefined && value === best ? 'best' : ''}">${withDelta(row, i)}</td>`)}
  </tr>`;
}

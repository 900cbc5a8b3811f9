import { formatNumber } from './format.ts';
import { html, type Html } from './html.ts';
import { table } from './page.ts';
import type { ReportStage, StageMetrics } from './run-report.ts';

const MOST_COLUMNS = 200;

interface ColumnProfile {
  type?: string;
  missing?: number;
  distinct?: number;
  distinctEstimated?: boolean;
  min?: unknown;
  max?: unknown;
  mean?: number;
  quantiles?: Record<string, number>;
}

interface Profile {
  rows: number;
  columns: Record<string, ColumnProfile>;
  quarantined?: { rows: number; rules: Record<string, number> };
}

/** A data profile is known by its shape, so that other stages may give one too. */
export function isProfile(value: unknown): value is Profile {
  const profile = value as Partial<Profile> | null;
  if (typeof profile?.rows !== 'number' || typeof profile.columns !== 'object' || !profile.columns) return false;
  const columns = Object.values(profile.columns);
  return columns.length > 0 && columns.every((column) => typeof column?.missing === 'number');
}

/** What a table holds, column by column, and whether it kept its contract. */
export function profileSection({ path }: StageMetrics, profile: Profile, stage: ReportStage | undefined): Html {
  const columns = Object.entries(profile.columns);
  const shown = columns.slice(0, MOST_COLUMNS);
  return html`<h3>${path}</h3>
    <p>
      ${formatNumber(profile.rows)} rows, ${columns.length}
      columns${shown.length < columns.length ? `, the first ${shown.length} of them shown` : ''}.
    </p>
    ${contract(profile, stage)}
    ${table(
      [
        { title: 'column' },
        { title: 'type' },
        { title: 'missing', number: true },
        { title: 'distinct', number: true },
        { title: 'least', number: true },
        { title: 'mean', number: true },
        { title: 'greatest', number: true },
        { title: '5 – 95 %' },
      ],
      shown.map(
        ([name, column]) =>
          html`<tr>
            <td>${name}</td>
            <td class="muted">${column.type}</td>
            <td class="n">
              ${profile.rows > 0 ? `${formatNumber((100 * (column.missing ?? 0)) / profile.rows)} %` : '–'}
            </td>
            <td class="n">${column.distinctEstimated ? '≈ ' : ''}${formatNumber(column.distinct)}</td>
            <td class="n">${short(column.min)}</td>
            <td class="n">${formatNumber(column.mean)}</td>
            <td class="n">${short(column.max)}</td>
            <td>${box(column)}</td>
          </tr>`,
      ),
    )}`;
}

function contract({ quarantined }: Profile, stage: ReportStage | undefined): Html | undefined {
  const rules = Object.entries(quarantined?.rules ?? {});
  if (quarantined && quarantined.rows > 0)
    return html`<div class="notice warn">
      <p>
        <strong>Contract:</strong> ${formatNumber(quarantined.rows)} rows were set aside:
        ${rules.map(([rule, rows]) => `${rule} (${rows})`).join(', ')}.
      </p>
    </div>`;
  if (!stage || stage.options['contract'] === undefined) return undefined;
  return html`<p class="good">✓ The contract is kept by every row.</p>`;
}

const short = (value: unknown): string => {
  const text = formatNumber(value);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
};

/** Where most values lie: from 5 to 95 %, the middle half, the median. */
function box({ quantiles: q, min, max }: ColumnProfile): Html | undefined {
  if (!q || typeof min !== 'number' || typeof max !== 'number' || !(max > min)) return undefined;
  const at = (value: number | undefined): string => (2 + (96 * ((value ?? min) - min)) / (max - min)).toFixed(1);
  const [from, to] = [Number(at(q['p25'])), Number(at(q['p75']))];
  return html`<svg class="box" width="100" height="16" viewBox="0 0 100 16" aria-hidden="true">
    <line x1="${at(q['p05'])}" x2="${at(q['p95'])}" y1="8" y2="8" />
    <rect x="${from}" y="3" width="${Math.max(1, to - from).toFixed(1)}" height="10" />
    <line class="mid" x1="${at(q['p50'])}" x2="${at(q['p50'])}" y1="2" y2="14" />
  </svg>`;
}

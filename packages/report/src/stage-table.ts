import { formatDuration, remedyOf } from '@hourglass/core';
import { anchorOf } from './draw-graph.ts';
import { formatNumber, shortDigest, shortJson } from './format.ts';
import { html, type Child, type Html } from './html.ts';
import { table } from './page.ts';
import type { ReportStage } from './run-report.ts';
import { lookOf } from './status.ts';

/** Every stage: what came of it, how long it took, why it ran or did not. */
export function stageTable(stages: readonly ReportStage[]): Html {
  return table(
    [{ title: 'stage' }, { title: '' }, { title: 'time', number: true }, { title: 'engine' }, { title: 'why' }],
    stages.map((stage) => {
      const look = lookOf(stage.status);
      const why = [
        stage.status === 'cached' ? 'everything it depends on is unchanged' : (stage.reason ?? stage.note),
        stage.attempt > 1 && `${stage.attempt} attempts`,
        stage.fan && fanText(stage.fan),
      ];
      return html`<tr id="${anchorOf(stage.path)}">
        <td>
          ${'  '.repeat(stage.depth)}<strong>${stage.path}</strong><br /><span class="muted"
            >${stage.title ?? stage.uses}</span
          >
        </td>
        <td class="${look.tone}" style="white-space:nowrap">${look.mark} ${look.word}</td>
        <td class="n">${stage.took !== undefined && stage.status !== 'cached' ? formatDuration(stage.took) : ''}</td>
        <td>${stage.engine}</td>
        <td class="wide">${why.filter(Boolean).join(' · ')}</td>
      </tr>`;
    }),
  );
}

/** `2 of 3 items, 1 failed` */
export const fanText = ({ done, total, what, failed }: NonNullable<ReportStage['fan']>): string =>
  `${done} of ${total} ${what}${failed ? `, ${failed} failed` : ''}`;

/** What went wrong, each with its remedy. */
export function failures(stages: readonly ReportStage[]): Child {
  return stages.flatMap((stage) => [
    ...(stage.error
      ? [
          html`<div class="notice bad">
            <p><strong>${stage.path}</strong> ${lookOf(stage.status).word}: <code>${stage.error.code}</code></p>
            <p style="white-space:pre-wrap">${stage.error.message}</p>
            <p class="muted">→ ${remedyOf(stage.error)}</p>
          </div>`,
        ]
      : []),
    ...(stage.failures.length > 0
      ? [
          html`<h3>${stage.path}: items that failed</h3>
            ${table(
              [{ title: 'key' }, { title: 'code' }, { title: 'message' }],
              stage.failures.map(
                ({ key, error }) =>
                  html`<tr>
                    <td>${key}</td>
                    <td><code>${error.code}</code></td>
                    <td class="wide">${shortJson(error.message, 400)}</td>
                  </tr>`,
              ),
            )}${
              (stage.fan?.failed ?? 0) > stage.failures.length
                ? html`<p class="muted">${stage.fan!.failed} failed in all.</p>`
                : undefined
            }`,
        ]
      : []),
  ]);
}

/** What gates compared, and the points of sweeps. */
export function verdicts(stages: readonly ReportStage[]): Child {
  return stages.flatMap(({ path, gate, points }) => [
    ...(gate
      ? [
          html`<p class="${gate.passed ? 'good' : 'bad'}">
            ${gate.passed ? '✓' : '✗'} The gate of <strong>${path}</strong> ${gate.passed ? 'passed' : 'failed'}:
            <code>${gate.compared ?? gate.expression}</code>
          </p>`,
        ]
      : []),
    ...(points.length > 0
      ? [
          html`<h3>${path}: points of the sweep</h3>
            ${table(
              [{ title: 'point' }, { title: '' }, { title: 'score', number: true }],
              points.map(
                (point) =>
                  html`<tr>
                    <td>${point.key}</td>
                    <td>${point.status}</td>
                    <td class="n ${point.selected ? 'best' : ''}">
                      ${formatNumber(point.score)}${point.selected ? ' ★' : ''}
                    </td>
                  </tr>`,
              ),
            )}`,
        ]
      : []),
  ]);
}

/** Where every output comes from, and what it depends on. */
export function lineage(stages: readonly ReportStage[]): Html {
  return html`${table(
    [
      { title: 'output' },
      { title: 'kind' },
      { title: 'digest' },
      { title: 'rows', number: true },
      { title: 'made from' },
    ],
    stages.flatMap((stage) =>
      Object.entries(stage.outputs).map(([name, output]) => {
        const refs = Array.isArray(output) ? output : [output];
        return html`<tr>
          <td>${stage.path}.${name}</td>
          <td>${refs[0]?.kind}${refs.length > 1 ? ` × ${refs.length}` : ''}</td>
          <td><code title="${refs[0]?.digest}">${refs[0] ? shortDigest(refs[0].digest) : ''}</code></td>
          <td class="n">${refs[0]?.rows === undefined ? '' : formatNumber(refs[0].rows)}</td>
          <td class="wide">${from(stage)}</td>
        </tr>`;
      }),
    ),
  )}
  ${stages.filter(({ made }) => made).map(made)}`;
}

function from({ inputs, made: known }: ReportStage): Child {
  const given = Object.entries(inputs).map(
    ([name, value]) => `${name} ← ${shortJson(value).replace(/\$\{\{\s*|\s*\}\}/g, '')}`,
  );
  const sources = Object.entries(known?.sources ?? {}).map(([uri, digest]) => `${uri} (${shortDigest(digest)})`);
  return [...given, ...sources].join(' · ');
}

const made = ({ path, made: known, options }: ReportStage): Html =>
  html`<details>
    <summary>${path}: options, versions, seed</summary>
    <dl class="facts">
      ${Object.entries({
        ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, shortJson(value, 300)])),
        seed: known!.seed,
        code: known!.version,
        ...known!.libraries,
      }).map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </details>`;

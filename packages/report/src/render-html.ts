import { formatDuration } from '@hourglass/core';
import { baselinesOf } from '@hourglass/runtime';
import { bestEpochs, curveSpec } from './curve-spec.ts';
import { beginPage, drawFigure } from './draw-figure.ts';
import { drawGraph } from './draw-graph.ts';
import { formatBytes, formatNumber, shortDigest, shortJson } from './format.ts';
import { html, trusted, type Html } from './html.ts';
import { metricSection } from './metric-sections.ts';
import { page, section, table, themeSwitch } from './page.ts';
import { isProfile, profileSection } from './profile-section.ts';
import type { ReportFigure, RunReport, TrainingCurve } from './run-report.ts';
import { failures, lineage, stageTable, verdicts } from './stage-table.ts';
import { runLook } from './status.ts';

/** A file one can send by mail: figures are left out, by name, once the page would outgrow this. */
const LARGEST_PAGE = 2_800_000;

/** The report as one HTML file that asks for nothing. */
export async function renderHtml(report: RunReport): Promise<string> {
  beginPage();
  const { run, stages } = report;
  const profiles = report.metrics.flatMap((entry) => (isProfile(entry.value) ? [{ entry, profile: entry.value }] : []));
  // What is compared with something says most.
  const metrics = report.metrics
    .filter(({ value }) => !isProfile(value))
    .sort((a, b) => Number(hasBaselines(b.value)) - Number(hasBaselines(a.value)));
  const curves = await Promise.all(
    report.curves.map(async (curve) =>
      figureCard({
        path: curve.path,
        id: 'curve',
        title: `${curve.path}: loss by epoch`,
        note: keptEpochs(curve),
        spec: curveSpec([curve]),
      }),
    ),
  );
  const figures: Html[] = [];
  let room = LARGEST_PAGE - 400_000 - curves.reduce((sum, curve) => sum + curve.html.length, 0);
  for (const figure of report.figures) {
    const card = await figureCard(figure);
    room -= card.html.length;
    figures.push(room > 0 ? card : card.html.length > 2000 ? await figureCard({ ...leftOut(figure) }) : card);
  }
  const sections = [
    section('pipeline', 'Pipeline', html`<div class="scroll" tabindex="0">${drawGraph(stages)}</div>`),
    section('failures', 'What went wrong', failures(stages)),
    section('metrics', 'Metrics', [verdicts(stages), metrics.map(metricSection)].flat(2)),
    section('training', 'Training', curves.length > 0 && html`<div class="figures">${curves}</div>`),
    section('figures', 'Figures', figures.length > 0 && html`<div class="figures">${figures}</div>`),
    section(
      'data',
      'Data',
      profiles.map(({ entry, profile }) =>
        profileSection(
          entry,
          profile,
          stages.find(({ path }) => path === entry.path),
        ),
      ),
    ),
    section('stages', 'Stages', stageTable(stages)),
    section('delivered', 'Delivered', delivered(report)),
    section('lineage', 'Lineage', lineage(stages)),
    section(
      'file',
      'The pipeline',
      report.source &&
        html`<p class="muted">${report.source.file}</p>
          <pre tabindex="0">${report.source.text}</pre>`,
    ),
  ];
  const links = sections.flatMap((made) => {
    const [, id, title] = /<section id="([\w-]+)"[^]*?<h2[^>]*>([^<]*)</.exec(made?.html ?? '') ?? [];
    return id ? [html`<a href="#${id}">${trusted(title!)}</a>`] : [];
  });
  const look = runLook(run.status);
  return page(
    `${run.title ?? run.pipeline} · ${look.word}`,
    html`<header>
        <div>
          <h1>${run.title ?? run.pipeline}</h1>
          <p>
            <span class="tag ${look.tone}">${look.mark} ${look.word}</span>
            <span class="muted">${run.pipeline} · run ${run.id}</span>
          </p>
        </div>
        ${themeSwitch()}
      </header>
      <nav aria-label="Sections">${links}</nav>
      ${overview(report)}${runError(report)} ${warnings(report)} ${sections}`,
  );
}

function overview({ run, stages }: RunReport): Html {
  const cached = stages.filter(({ status }) => status === 'cached').length;
  const facts: [string, string | number | undefined][] = [
    ['started', run.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
    ['took', run.took === undefined ? undefined : formatDuration(run.took)],
    ['stages', `${stages.length}, ${cached} cached`],
    ['engine', run.engine.class ? `${run.engine.class} (asked for: ${run.engine.asked})` : undefined],
    ['seed', run.seed],
    ['continued', run.resumed > 0 ? (run.resumed === 1 ? 'once' : `${run.resumed} times`) : undefined],
    ...Object.entries(run.params).map(([name, value]): [string, string] => [`param ${name}`, shortJson(value)]),
    ...Object.entries(run.names).map(([name, { version }]): [string, string] => [`named ${name}`, `@${version}`]),
  ];
  return html`<dl class="facts">
    ${facts
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
  </dl>`;
}

/** Attempts and items say the same again: once is enough. */
function warnings({ warnings: all }: RunReport): Html[] {
  const times = new Map<string, number>();
  for (const { path, message } of all) {
    const said = JSON.stringify([path, message]);
    times.set(said, (times.get(said) ?? 0) + 1);
  }
  return [...times].map(([said, count]) => {
    const [path, message] = JSON.parse(said) as [string, string];
    const often = count > 1 && html`<span class="muted">${count} times</span>`;
    return html`<div class="notice warn">
      <p><strong>${path}</strong> ${message} ${often}</p>
    </div>`;
  });
}

/** A failure that is no stage's own. */
function runError({ run, stages }: RunReport): Html | undefined {
  if (!run.error || stages.some(({ error }) => error)) return undefined;
  return html`<div class="notice bad">
    <p><code>${run.error.code}</code> ${run.error.message}</p>
  </div>`;
}

function delivered({ files, published }: RunReport): Html | undefined {
  if (files.length === 0 && published.length === 0) return undefined;
  return table(
    [{ title: 'what' }, { title: 'size', number: true }, { title: 'digest' }],
    [
      ...files.map(
        ({ path, bytes, digest }) =>
          html`<tr>
            <td class="wide">${path}</td>
            <td class="n">${bytes === undefined ? '' : formatBytes(bytes)}</td>
            <td><code title="${digest}">${shortDigest(digest)}</code></td>
          </tr>`,
      ),
      ...published.map(
        ({ name, version, digest }) =>
          html`<tr>
            <td>${name}${version === undefined ? '' : `@${version}`}</td>
            <td class="n">published</td>
            <td><code title="${digest}">${shortDigest(digest)}</code></td>
          </tr>`,
      ),
    ],
  );
}

const hasBaselines = (value: unknown): boolean => Object.keys(baselinesOf(value)).length > 0;

const leftOut = ({ path, id, title }: ReportFigure): ReportFigure => ({
  path,
  id,
  title,
  problem: 'left out to keep this file small; hourglass artifacts show has it',
});

/** What the black points of a training curve say, in words. */
function keptEpochs({ members }: TrainingCurve): string {
  const best = bestEpochs(members);
  if (best.length === 0) return 'not validated: the last epoch is kept';
  const [first] = best;
  const last = Math.max(...members.map((member) => member.at(-1)?.epoch ?? 0));
  return best.length === 1
    ? `● best epoch ${first!.epoch} of ${last}, validation loss ${formatNumber(first!.validationLoss)}`
    : `● best epochs ${best.map(({ epoch }) => epoch).join(', ')} of ${last}`;
}

/** One figure, or why it cannot be shown: the rest of the page stands. */
export async function figureCard({
  path,
  title,
  note,
  spec,
  png,
  problem,
}: ReportFigure & { note?: string }): Promise<Html> {
  let drawing: Html;
  try {
    if (problem !== undefined) throw new Error(problem);
    drawing = png
      ? html`<img src="data:image/png;base64,${png}" alt="${title}" />`
      : trusted((await drawFigure(spec ?? {})).replace('<svg ', '<svg role="img" '));
  } catch (error) {
    drawing = html`<div class="notice bad">
      <p>This figure cannot be drawn: ${whyNot(error as Error)}</p>
    </div>`;
  }
  return html`<figure>
    <figcaption>${title} <span class="muted">${note ?? (title.startsWith(path) ? '' : path)}</span></figcaption>
    ${drawing}
  </figure>`;
}

/** Vega-Lite stumbles over what it does not know; where it says nothing of its own, that is said. */
function whyNot(error: Error): string {
  const [first = ''] = error.message.split('\n');
  const said = first.slice(0, 300);
  return error instanceof TypeError ? `it is no specification Vega-Lite understands (${said})` : said;
}

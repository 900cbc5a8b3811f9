import { describe, expect, it } from 'vitest';
import { compareRuns } from '../compare-runs.ts';
import { drawFigure } from '../draw-figure.ts';
import { html } from '../html.ts';
import { comparisonMarkdown } from '../render-comparison.ts';
import { renderHtml } from '../render-html.ts';
import { renderMarkdown } from '../render-markdown.ts';
import type { CurvePoint } from '../run-report.ts';
import { sampleReport, stage } from './support/sample-report.ts';

describe('markup', () => {
  it('escapes what is put in, and takes markup as it is', () => {
    expect(html`<p title="${'"&'}">${'<b>'}${html`<i>${1}</i>`}${undefined}${[html`<u></u>`, 'x']}</p>`.html).toBe(
      '<p title="&#34;&#38;">&#60;b&#62;<i>1</i><u></u>x</p>',
    );
  });
});

describe('the page', () => {
  it('says what went wrong with its remedy, what gates compared and which items failed', async () => {
    const page = await renderHtml(sampleReport());
    for (const text of [
      'The gate of',
      'TRAINING_DIVERGED',
      '3 failed in all',
      'Read the cause',
      'were set aside',
      'NaN',
    ])
      expect(page).toContain(text);
  });

  it('says a warning once, and how often it came', async () => {
    const warning = { path: 'train', message: 'too few rows', at: '' };
    const page = await renderHtml(sampleReport({ warnings: [warning, warning, { ...warning, path: 'other' }] }));
    expect(page.split('too few rows')).toHaveLength(3);
    expect(page).toMatch(/too few rows <span class="muted">2 times/);
  });

  it('marks the best of each metric, which may be a baseline', async () => {
    const page = await renderHtml(sampleReport());
    expect(page).toMatch(/class="n best">0\.05 ★</);
    expect(page).not.toMatch(/class="n best">0\.1 ★</);
  });

  it('draws losses on a log scale, the learning rate below, and says which epoch was best', async () => {
    const training = async (members: CurvePoint[][]): Promise<string> => {
      const page = await renderHtml(sampleReport({ curves: [{ path: 'train', members }], figures: [] }));
      return /<section id="training"[^]*?<\/section>/.exec(page)![0];
    };
    const [member] = sampleReport().curves[0]!.members;
    const whole = await training([member!]);
    expect(whole).toContain('best epoch 12 of 19, validation loss 0.08462');
    expect(whole).toContain('learning rate');
    expect(whole).toContain('log scale');
    expect(await training([member!, member!.slice(0, 6)])).toContain('best epochs 12, 5 of 19');
    // Runs of before learning rates were noted; of losses below zero; without validation rows.
    const bare = member!.map(({ epoch, loss }) => ({ epoch, loss: loss! - 0.5 }));
    const linear = await training([bare]);
    expect(linear).not.toMatch(/learning rate|log scale/);
    expect(linear).toContain('not validated');
  });

  it('leaves out what a run without metrics, figures or file has not', async () => {
    const bare = sampleReport({
      metrics: [],
      figures: [],
      curves: [],
      files: [],
      published: [],
      warnings: [],
      stages: [stage('one')],
    });
    const { source: _, ...without } = bare;
    const page = await renderHtml(without);
    for (const id of ['metrics', 'figures', 'training', 'data', 'file', 'delivered', 'failures'])
      expect(page).not.toContain(`<section id="${id}"`);
    expect(page).toContain('<section id="pipeline"');
  });

  it('stays small, naming the figures it leaves out', async () => {
    const values = Array.from({ length: 3000 }, (_, x) => ({ x, y: Math.sin(x) }));
    const encoding = { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } };
    const figures = Array.from({ length: 12 }, (_, i) => ({
      path: 'train',
      id: `f${i}`,
      title: `Figure ${i}`,
      spec: { data: { values }, mark: 'point', encoding },
    }));
    const page = await renderHtml(sampleReport({ figures }));
    expect(page.length).toBeLessThan(3_000_000);
    expect(page).toMatch(/Figure 11[^]*left out to keep this file small/);
  });
});

describe('a figure', () => {
  it('is drawn without running its expressions as code', async () => {
    const spec = {
      data: { values: [{ x: 1 }] },
      transform: [{ calculate: "[].constructor.constructor('globalThis.owned = 1')()", as: 'y' }],
      mark: 'bar',
      encoding: { x: { field: 'x' }, y: { field: 'y' } },
    };
    await drawFigure(spec).catch(() => undefined);
    expect((globalThis as { owned?: number }).owned).toBeUndefined();
  });
});

describe('Markdown', () => {
  it('is a table of stages and metrics in which data stay text', () => {
    const text = renderMarkdown(sampleReport());
    expect(text).toMatch(/^## ✗ 乳腺癌/);
    expect(text).toContain('| ingest | ✓ done | 1.23 s | first run |');
    expect(text).toContain('| this model | 0.1 | NaN |');
    expect(text.replace(/\\</g, '').replace(/`[^`]*`/g, '')).not.toContain('<script');
  });
});

describe('what a forEach collected', () => {
  const value = {
    north: { rmse: 0.5, rows: 3, baselines: { mean: { rmse: 1 } } },
    'so|uth': { rmse: 'NaN' },
    lost: { note: 'nothing to show' },
  };
  const report = sampleReport({
    metrics: [{ path: 'each', output: 'metrics', value }],
    stages: [
      stage('each', {
        reason: 'first run',
        fan: { what: 'items', total: 3, done: 2, failed: 1, active: 0, cached: 0 },
        failures: [{ key: 'west', error: { code: 'TRAINING_DIVERGED', message: 'the loss became NaN' } }],
      }),
    ],
  });

  it('is shown with a line an item, in the page, in Markdown and side by side', async () => {
    const page = await renderHtml(report);
    expect(page.replace(/\s+/g, ' ')).toMatch(/<td>north<\/td> <td class="n">0\.5<\/td> ?<td class="n">3<\/td>/);
    const text = renderMarkdown(report);
    expect(text).toContain('| each | ✓ done | 1.23 s | first run · 2 of 3 items, 1 failed |');
    expect(text).toContain('| each | rmse | rows |\n| --- | --- | --- |\n| north | 0.5 | 3 |\n| so\\|uth | NaN | – |');
    expect(text).toContain('- **each** west failed: `TRAINING_DIVERGED` the loss became NaN');
    expect(text).not.toContain('lost');
    const { metrics } = compareRuns([report, report]);
    expect(metrics.map(({ name }) => name)).toEqual(['each[north].rmse', 'each[north].rows', 'each[so|uth].rmse']);
  });

  it('is cut in Markdown, which says how much more there is', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`p${i}`, { rmse: i }]));
    const text = renderMarkdown(sampleReport({ metrics: [{ path: 'each', output: 'metrics', value: many }] }));
    expect(text).toContain('| p19 | 19 |');
    expect(text).not.toContain('| p20 |');
    expect(text).toContain('980 more; all of them: hourglass report --json');
  });
});

describe('a comparison', () => {
  const other = sampleReport({
    run: { ...sampleReport().run, id: 'other', pipeline: 'another', seed: 8 },
    metrics: [{ path: 'train', output: 'metrics', value: { rmse: 0.15, extra: 1 } }],
  });

  it('shows what differs only, and every metric of any run with its change from the first', () => {
    const { differences, metrics } = compareRuns([sampleReport(), other]);
    expect(differences.map(({ name }) => name)).toEqual(['pipeline', 'seed']);
    expect(metrics.find(({ name }) => name === 'train.extra')!.values).toEqual([undefined, 1]);
    const text = comparisonMarkdown(compareRuns([sampleReport(), other]));
    expect(text).toContain('| train.rmse | 0.1 | 0.15 (+50 %) |');
    expect(text).toContain('| train.extra | – | 1 |');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns } from '../compare-runs.ts';
import { comparisonHtml } from '../render-comparison.ts';
import { renderHtml } from '../render-html.ts';
import { findChromium, startBrowser } from '../testing.ts';
import { EVIL, sampleReport, stage } from './support/sample-report.ts';

const chromium = findChromium();

describe.skipIf(chromium === undefined)('a report in a browser', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'hourglass-report-'));
  beforeAll(async () => {
    browser = await startBrowser(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page and notes what it complains of and asks for. */
  async function open(html: string, width = 1200): Promise<{ page: Page; complaints: string[]; asked: string[] }> {
    const file = join(folder, 'page.html');
    writeFileSync(file, html);
    const page = await browser.newPage();
    await page.setViewport({ width, height: 900 });
    const complaints: string[] = [];
    const asked: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`file://${file}`);
    return { page, complaints, asked: asked.filter((url) => !url.startsWith('data:') && url !== `file://${file}`) };
  }

  it('asks for nothing, complains of nothing, runs nothing that came with data, and is small', async () => {
    const html = await renderHtml(sampleReport());
    expect(html.length).toBeLessThan(3_000_000);
    const { page, complaints, asked } = await open(html);
    expect(complaints).toEqual([]);
    expect(asked).toEqual([]);
    expect(await page.title()).toContain('乳腺癌 "><script>');
    expect(await page.$$eval('script, img[onerror], a[href^="javascript"]', (found) => found.length)).toBe(0);
    // The evil text is all there, as text.
    expect(await page.$$eval('main', ([main], evil) => main!.textContent!.split(evil).length, EVIL)).toBeGreaterThan(
      10,
    );
    await page.close();
  });

  it('draws every figure, and says which it cannot draw', async () => {
    const { page } = await open(await renderHtml(sampleReport()));
    const sizes = await page.$$eval('figure svg, figure img, svg.graph', (all) =>
      all.map((one) => one.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height)),
    );
    expect(sizes).toHaveLength(4);
    for (const size of sizes) expect(size).toBeGreaterThan(10);
    const broken = await page.$$eval('figure .notice', (all) => all.map((one) => one.textContent!.trim()));
    expect(broken).toEqual([
      expect.stringContaining('cannot be drawn: it is no specification Vega-Lite understands'),
      expect.stringMatching(/asks for https:\/\/example.com/),
    ]);
    await page.close();
  });

  it('is light or dark as the system is, or as chosen', async () => {
    const { page } = await open(await renderHtml(sampleReport()));
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    const light = await background();
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.focus('#system');
    await page.keyboard.press('ArrowRight');
    expect(await background()).toBe(light);
    await page.keyboard.press('ArrowRight');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    expect(await background()).toBe(dark);
    await page.close();
  });

  it('fits a phone, with 200 stages too', async () => {
    const many = Array.from({ length: 200 }, (_, i) => stage(`s${i}`, { needs: i > 0 ? [`s${i - 1}`] : [] }));
    const { page, complaints } = await open(await renderHtml(sampleReport({ stages: many })), 390);
    expect(complaints).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect(await page.$$eval('svg.graph .node', (nodes) => nodes.length)).toBe(200);
    await page.close();
  });

  it('stays a page one can read with a thousand items, of which all failed', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `partition=${i} ${EVIL}`);
    const each = stage('each', {
      status: 'failed',
      fan: { what: 'items', total: 1000, done: 0, failed: 1000, active: 0, cached: 0 },
      failures: keys.map((key) => ({ key, error: { code: 'TRAINING_DIVERGED', message: EVIL.repeat(20) } })),
      points: keys.map((key, i) => ({ key, status: 'done', score: i === 3 ? NaN : i, selected: i === 7 })),
      outputs: { models: keys.map(() => ({ kind: 'model', digest: 'ab'.repeat(32), bytes: 1 })) },
    });
    const metrics = [
      {
        path: 'each',
        output: 'metrics',
        value: Object.fromEntries(keys.map((key, i) => [key, { rmse: i, mae: NaN }])),
      },
    ];
    const html = await renderHtml(sampleReport({ stages: [each], metrics }));
    expect(html.length).toBeLessThan(3_000_000);
    const { page, complaints } = await open(html, 390);
    expect(complaints).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    // Everything long lies in boxes that scroll, so that the page stays one.
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeLessThan(12_000);
    expect(await page.$$eval('#metrics td', (cells) => cells.map((cell) => cell.textContent))).toEqual(
      expect.arrayContaining([keys[0], keys[199], 'NaN']),
    );
    expect(await page.$eval('#metrics', (section) => section.textContent)).toContain('800 more');
    expect(await page.$eval('#failures', (section) => section.textContent)).toContain('partition=999');
    expect(await page.$$eval('#metrics td.best', (cells) => cells.map((cell) => cell.textContent!.trim()))).toEqual([
      '7 ★',
    ]);
    await page.close();
  });

  it('shows runs side by side', async () => {
    const reports = [
      sampleReport(),
      sampleReport({ run: { ...sampleReport().run, id: 'other', params: { rate: 0.3 } } }),
    ];
    const { page, complaints, asked } = await open(await comparisonHtml(compareRuns(reports), reports));
    expect([complaints, asked]).toEqual([[], []]);
    expect(await page.$$eval('#differences td', (cells) => cells.map((cell) => cell.textContent))).toEqual(
      expect.arrayContaining(['params.rate', '0.2', '0.3']),
    );
    expect(await page.$$eval('figure svg', (all) => all.length)).toBe(1);
    await page.close();
  });
});

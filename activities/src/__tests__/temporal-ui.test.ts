import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium, startBrowser } from '@hourglass/report/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDevServer, type DevServer } from '../server/dev-server.ts';
import { makePlace, type Place } from './support/place.ts';

const chromium = findChromium();

/** What a page says; the Markdown of a run is in frames of its own. */
const SEEN = `[document, ...[...document.querySelectorAll('iframe')].map((frame) => frame.contentDocument)]
  .map((one) => one?.body?.innerText ?? '').join('\\n')`;

const text = `hourglass: v1
name: toy
title: Count in the evening
seed: 7
stages:
  first: { uses: toy/train, with: { steps: 30, sleepMs: 20 } }
  second: { uses: toy/train, with: { steps: 100000, sleepMs: 20, model: '\${{ stages.first.model }}' }, timeout: { heartbeat: 5s } }
`;

describe.skipIf(chromium === undefined)('a run in the Temporal UI', () => {
  let server: DevServer;
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  beforeAll(async () => {
    server = await startDevServer({ env: process.env });
    browser = await startBrowser(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** What a person reads on a page of the UI, once it shows what is expected. */
  async function read(path: string, expected: RegExp): Promise<string> {
    const page = await browser.newPage();
    await page.setViewport({ width: 1400, height: 1000 });
    try {
      await page.goto(`${server.ui}/namespaces/default/${path}`);
      await page.waitForFunction(`${expected}.test(${SEEN})`, { timeout: 60_000 });
      return (await page.evaluate(SEEN)) as string;
    } finally {
      const shots = process.env['HOURGLASS_SCREENSHOTS'];
      if (shots) {
        mkdirSync(shots, { recursive: true });
        await page.screenshot({
          path: join(shots, `${path.replaceAll(/\W+/g, '-').slice(-40)}.png`) as `${string}.png`,
        });
      }
      await page.close();
    }
  }

  test('is found by our attributes, read as a table with its loss, and shows how its training goes', async () => {
    const place: Place = await makePlace({ address: server.address });
    await place.worker();
    const id = await place.submit(text, { partition: 'north' });
    await place.until(id, ({ progress }) =>
      progress.some(({ path, message }) => path === 'second' && /step/.test(message)),
    );
    const { raw } = await place.client.workflow.getHandle(id).describe();
    const run = `workflows/${id}/${raw.workflowExecutionInfo!.execution!.runId!}`;

    const query = encodeURIComponent(
      'HourglassPipeline="toy" AND HourglassStage="second" AND HourglassPartition="north"',
    );
    expect(await read(`workflows?query=${query}`, new RegExp(id))).toMatch(/1–1/);
    const none = encodeURIComponent('HourglassPipeline="toy" AND HourglassStage="first"');
    expect(await read(`workflows?query=${none}`, /No Workflows|0 Workflows|no results/i)).not.toContain(id);

    const timeline = await read(`${run}/timeline`, /second · toy · north/);
    expect(timeline).toMatch(/toy\/train • first · toy · north/);

    const details = await read(`${run}/user-metadata`, /partition north/);
    expect(details).toContain('Count in the evening');
    expect(details).toMatch(/✓\s*first\s+toy\/train\s+done[^▸]*[▁▂▃▄▅▆▇█]{8}/);
    expect(details).toMatch(/▸\s*second\s+toy\/train\s+running/);

    const pending = await read(`${run}/pending-activities`, /Heartbeat Details[\s\S]*"message": "step \d+/);
    expect(pending).toMatch(/"progress": "\d+ %"/);
    expect(pending).toMatch(/"checkpoint": "[0-9a-f]{12}"/);
  });

  test('says where its report is once it has ended, also when it failed', async () => {
    const place: Place = await makePlace({ address: server.address });
    await place.worker();
    const ends = async (stages: string): Promise<string> => {
      const id = await place.submit(`hourglass: v1\nname: toy\nstages:\n${stages}`, { report: true });
      const { view } = await place.ended(id);
      const { raw } = await place.client.workflow.getHandle(id).describe();
      const run = `workflows/${id}/${raw.workflowExecutionInfo!.execution!.runId!}`;
      const digest = view!.notes.report!.digest.slice(0, 12);
      return read(`${run}/user-metadata`, new RegExp(`Report: hourglass artifacts show ${digest} in `));
    };
    expect(await ends('  a: { uses: toy/emit, with: { value: 1 } }\n')).toMatch(/✓\s*a\s+toy\/emit\s+done/);
    const failed = `  parts: { uses: toy/parts }
  a: { uses: toy/pass, with: { data: '\${{ stages.parts.data }}', fail: p0 }, retry: { maxAttempts: 1 } }
`;
    expect(await ends(failed)).toMatch(/✗\s*a\s+toy\/pass\s+failed/);
  });
});

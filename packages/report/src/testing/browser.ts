import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { launch, type Browser } from 'puppeteer-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** `HOURGLASS_CHROMIUM`, else what is on PATH. @returns undefined, having said so; with CI=true that is an error */
export function findChromium(): string | undefined {
  const named = process.env['HOURGLASS_CHROMIUM'];
  const paths = (process.env['PATH'] ?? '').split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  const found = [...(named ? [named] : []), ...paths].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  const message =
    'Tests of pages need Chromium: put it on PATH (apt-get install chromium) or name it in HOURGLASS_CHROMIUM.';
  if (process.env['CI']) throw new Error(message);
  console.warn(`SKIPPED. ${message}`);
  return undefined;
}

export const startBrowser = (executablePath: string): Promise<Browser> =>
  launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'], timeout: 90_000, protocolTimeout: 90_000 });

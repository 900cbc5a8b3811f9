import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HourglassError } from '@hourglass/core';

/**
 * Runs a script of `packages/bench/python` in the environment of `npm run bench:setup`; its output ends with one line of
 * JSON.
 *
 * @param environment `engine`: the one with PyTorch and Keras; `synthetic`: with SDV; `matching`: with hnswlib; `images`: with scikit-image and BM3D
 */
export async function runPython<T>(
  script: string,
  args: string[],
  environment?: 'engine' | 'synthetic' | 'matching' | 'images',
): Promise<T> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const python = join(cache, `hourglass/bench/venv${environment ? `-${environment}` : ''}/bin/python`);
  if (!existsSync(python))
    throw new HourglassError(
      'SOURCE_NOT_FOUND',
      `the peers' Python environment is not at ${python}; make it by \`npm run bench:setup${environment ? ` -- ${environment}` : ''}\``,
    );
  const path = fileURLToPath(new URL(`../python/${script}`, import.meta.url));
  const { stdout } = await promisify(execFile)(python, [path, ...args], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}

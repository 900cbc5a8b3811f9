import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.ts';

const run = promisify(execFile);

/** The S3 server over a folder that the tests run against (Apache-2.0). */
const VERSION = 'v1.8.0';
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

/**
 * The program: `HOURGLASS_VERSITYGW`, else on PATH, else the copy in the cache folder, which is built with `go` the first
 * time (minutes).
 *
 * @returns undefined, having said so, when there is neither; with CI=true that is an error, since nothing may be skipped there
 */
export async function versitygw(env: Record<string, string | undefined> = process.env): Promise<string | undefined> {
  const named = env['HOURGLASS_VERSITYGW'];
  if (named) {
    if (await runs(named)) return named;
    throw new Error(`HOURGLASS_VERSITYGW: expected a program at ${named}, found none.`);
  }
  const folder = join(cacheFolder(env), 'tools', `versitygw-${VERSION}`);
  const kept = join(folder, 'versitygw');
  for (const path of [...(env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, 'versitygw')), kept])
    if (await runs(path)) return path;
  const problem = await build(folder, kept);
  if (problem === undefined) return kept;
  const message = `Tests against a real S3 server need versitygw ${VERSION}: ${problem} Put it on PATH, name it in HOURGLASS_VERSITYGW, or install go (https://go.dev).`;
  if (env['CI']) throw new Error(message);
  console.warn(`SKIPPED. ${message}`);
  return undefined;
}

async function build(folder: string, target: string): Promise<string | undefined> {
  const aside = join(folder, `build-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await run('go', ['version']);
  } catch {
    return 'it is not here, and go, which would build it, is not either.';
  }
  try {
    await mkdir(aside, { recursive: true });
    console.warn(`Building versitygw ${VERSION} into ${folder}, once: this takes a few minutes.`);
    await run('go', ['install', PACKAGE], { env: { ...process.env, GOBIN: aside }, maxBuffer: 64 << 20 });
    await rename(join(aside, 'versitygw'), target);
    return undefined;
  } catch (error) {
    return `it could not be built: ${(error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error)}.`;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

const runs = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

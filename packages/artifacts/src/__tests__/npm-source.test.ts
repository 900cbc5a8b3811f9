import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fingerprints } from '../fingerprints.ts';
import { parseNpmUri } from '../npm-source.ts';
import { listSourceFiles } from '../source-files.ts';

let folder: string;

/** Puts a program called npm before the real one. It packs what lies in `package`, or fails as a machine without a network. */
async function npm(kind: 'packs' | 'offline'): Promise<void> {
  const script =
    kind === 'packs'
      ? `echo "$@" >> "${folder}/calls"; while [ "$1" != --pack-destination ]; do shift; done; tar -czf "$2/toy-1.0.0.tgz" -C "${folder}" package`
      : 'echo "npm error code ENOTFOUND" >&2; echo "npm error network request to the registry failed" >&2; exit 1';
  await writeFile(join(folder, 'bin/npm'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'bin/npm'), 0o755);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-npm-'));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'package/data'), { recursive: true });
  await writeFile(join(folder, 'package/package.json'), '{"name":"toy","version":"1.0.0"}');
  for (const name of ['train-a.csv', 'train-b.csv', 'test-a.csv'])
    await writeFile(join(folder, 'package/data', name), `x\n${name.length}\n`);
  vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}${process.env.PATH}`);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

it('fetches a package once, says so, and lists its files as those of a folder', async () => {
  await npm('packs');
  const said: string[] = [];
  const first = await listSourceFiles('npm://toy@1.0.0/data/train-*', undefined, (message) => said.push(message));
  expect(first.files.map((file) => file.slice(first.root.length + 1))).toEqual(['train-a.csv', 'train-b.csv']);
  expect(await readFile(first.files[0]!, 'utf8')).toBe('x\n11\n');
  expect(said[0]).toBe('fetching toy@1.0.0 by npm, once');
  const again = await listSourceFiles('npm://toy@1.0.0/data/test-a.csv', undefined, (message) => said.push(message));
  expect(again.files).toHaveLength(1);
  expect(said).toHaveLength(2);
  expect((await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n')).toHaveLength(1);
  await expect(listSourceFiles('npm://toy@1.0.0/data/trian-a.csv')).rejects.toThrow('Did you mean "train-a.csv"?');
});

it('knows what a package holds by its version, without fetching it', async () => {
  await npm('offline');
  const { source } = fingerprints({ read: async () => undefined, write: async () => undefined } as never);
  const digest = async (uri: string): Promise<string> => (await source(uri)).digest;
  expect(await digest('npm://toy@1.0.0/data')).toBe(await digest('npm://toy@1.0.0/data/'));
  expect(await digest('npm://toy@1.0.1/data')).not.toBe(await digest('npm://toy@1.0.0/data'));
});

it('says what npm said where it cannot be fetched, and leaves nothing behind', async () => {
  await npm('offline');
  await expect(listSourceFiles('npm://toy@1.0.0/data')).rejects.toMatchObject({
    code: 'SOURCE_NOT_FOUND',
    message: expect.stringMatching(
      /npm could not fetch toy@1.0.0 \(code ENOTFOUND; network request to the registry failed\).*check the name and the connection by `npm view toy@1.0.0`/,
    ),
  });
  await npm('packs');
  expect((await listSourceFiles('npm://toy@1.0.0/data')).files).toHaveLength(3);
  expect(execFileSync('ls', [join(folder, 'cache/hourglass/tmp')], { encoding: 'utf8' })).toBe('');
});

it.each([
  ['npm://toy/data', 'the version is missing'],
  ['npm://toy@latest/data', '"latest" is not one exact version'],
  ['npm://toy@^1.0.0/data', '"^1.0.0" is not one exact version'],
  ['npm://toy@1.0.0/../secret', 'the path leads out of the package'],
  ['npm:toy@1.0.0', 'found no name of a package'],
  ['npm://-rf@1.0.0/x', 'found no name of a package'],
])('refuses %s', async (uri, problem) => {
  await expect(listSourceFiles(uri)).rejects.toMatchObject({
    code: 'SOURCE_INVALID',
    message: expect.stringContaining(problem),
  });
});

it('reads names with a scope', () => {
  expect(parseNpmUri('npm://@some/thing@2.0.0-rc.1/a/b.parquet')).toEqual({
    name: '@some/thing',
    version: '2.0.0-rc.1',
    path: 'a/b.parquet',
  });
});

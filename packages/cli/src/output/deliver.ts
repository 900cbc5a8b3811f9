import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { HourglassError } from '@hourglass/core';
import type { CliContext } from '../context.ts';

/** Text to stdout, or text or bytes whole into a file: under a temporary name first, so that a file is never half there. */
export async function deliver(
  context: CliContext,
  text: string | Uint8Array,
  { file, overwrite }: { file?: string; overwrite: boolean },
): Promise<void> {
  if (file === undefined || file === '-') {
    context.stdout.write(typeof text === 'string' ? text : Buffer.from(text).toString());
    return;
  }
  const path = resolve(context.cwd, file);
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (overwrite) await rename(temporary, path);
    else await link(temporary, path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new HourglassError('CALL_INVALID', `${file} exists already. Choose another name, or remove it first.`);
    throw new HourglassError('SINK_UNWRITABLE', `${file} cannot be written: ${message}.`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
  context.stderr.write(`${context.errorColors.dim('wrote')} ${file}\n`);
}

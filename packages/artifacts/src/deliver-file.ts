import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { hashFile } from './hash-file.ts';
import type { BlobRef } from './types.ts';

/**
 * Writes one file outside the store, whole or not at all: a temporary name beside it, fsync, rename.
 *
 * @param write makes the file at the path it is given
 * @throws SINK_UNWRITABLE, DISK_FULL; errors of ours from `write` as they are
 */
export async function deliverFile(path: string, write: (aside: string) => Promise<void>): Promise<BlobRef> {
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(aside);
    const file = await open(aside, 'r');
    await file.sync().finally(() => file.close());
    const written = await hashFile(aside);
    await rename(aside, path);
    return written;
  } catch (error) {
    if (error instanceof HourglassError) throw error;
    const message = (error as Error).message;
    const full = /ENOSPC|EDQUOT|No space left/.test(message);
    throw new HourglassError(
      full ? 'DISK_FULL' : 'SINK_UNWRITABLE',
      `${path}: cannot write it: ${message}. ${full ? 'Free some room' : 'Check the path and its permissions'}, then run again.`,
      { cause: error },
    );
  } finally {
    await rm(aside, { force: true }).catch(() => undefined);
  }
}

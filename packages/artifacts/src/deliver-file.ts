import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { hashFile } from './hash-file.ts';
import { deliverObject } from './s3/destination.ts';
import { isS3Uri } from './s3/uri.ts';
import { isDiskFull } from './storage-error.ts';
import type { BlobRef } from './types.ts';

/**
 * Writes one file outside the store, or one object (`s3://bucket/name`), whole or not at all: a temporary name beside it,
 * fsync, rename. What processes that died left there is removed.
 *
 * @param write makes the file at the path it is given
 * @throws SINK_UNWRITABLE, DISK_FULL; errors of ours from `write` as they are
 */
export async function deliverFile(path: string, write: (aside: string) => Promise<void>): Promise<BlobRef> {
  if (isS3Uri(path)) return deliverObject(path, write);
  const folder = dirname(path);
  const aside = join(folder, `.${basename(path)}.${process.pid}.${randomUUID().slice(0, 8)}.part`);
  try {
    await mkdir(folder, { recursive: true });
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      throw new HourglassError(
        'SINK_UNWRITABLE',
        `${path}: expected a file to write, found a folder. Choose another name.`,
      );
    await removeAbandoned(path);
    await write(aside);
    await sync(aside);
    const written = await hashFile(aside);
    await rename(aside, path);
    await sync(folder);
    return written;
  } catch (error) {
    throw unwritable(error, path);
  } finally {
    // What went wrong before says more than that there is nothing to remove.
    await rm(aside, { force: true }).catch(() => undefined);
  }
}

/** What went wrong at a destination, as an error of ours. */
export function unwritable(error: unknown, path: string): HourglassError {
  const own = error instanceof HourglassError ? error : undefined;
  // What reading the dataset or one of its columns says, says it better.
  if (own !== undefined && !isDiskFull(own) && !/\b(Cannot open file|Permission denied)\b/i.test(own.message))
    return own;
  const failed = ((own?.cause as Error | undefined) ?? error) as Error;
  const { message } = failed;
  const full = isDiskFull(failed);
  return new HourglassError(
    full ? 'DISK_FULL' : 'SINK_UNWRITABLE',
    `${path}: cannot be written (${message.split('\n')[0]}). ${full ? 'Free some room' : 'Check the path and its permissions'}, then run again; what was there before is untouched.`,
    { cause: error },
  );
}

/** A file or folder, down to the disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function removeAbandoned(path: string): Promise<void> {
  const pattern = /^\.(.+)\.(\d+)\.[0-9a-f]{8}\.part$/;
  for (const name of await readdir(dirname(path))) {
    const [, of, pid] = pattern.exec(name) ?? [];
    if (of === basename(path) && !isRunning(Number(pid))) await rm(join(dirname(path), name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

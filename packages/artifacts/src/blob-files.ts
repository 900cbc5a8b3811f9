import { createHash } from 'node:crypto';
import { copyFile, lstat, open, realpath, rename, unlink } from 'node:fs/promises';
import { HourglassError } from '@hourglass/core';
import { errnoOf } from './storage-error.ts';
import type { BlobRef } from './types.ts';

/** Writes bytes to a new file while hashing them. */
export async function writeHashed(path: string, source: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobRef> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return { digest: hash.digest('hex'), bytes };
}

/**
 * Moves a finished file to `target` on the store's filesystem; copies where a move would let others change it later
 * (another filesystem, a link to it elsewhere, a symbolic link).
 */
export async function moveFile(path: string, target: string): Promise<void> {
  const info = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new HourglassError('INTERNAL', `Expected a finished file at ${path} to put into the store, found nothing.`);
  });
  if (info.isFile() && info.nlink === 1) {
    try {
      return await rename(path, target);
    } catch (error) {
      if (errnoOf(error) !== 'EXDEV') throw error;
    }
  }
  await copyFile(await realpath(path), target);
  await unlink(path);
}

import { rm } from 'node:fs/promises';
import { HourglassError } from '@hourglass/core';
import type { StoreDriver } from './driver.ts';
import { hashFile } from './hash-file.ts';
import { sameStamp, stampOf, type FileStamp, type Stamps } from './stamps.ts';
import { readError } from './storage-error.ts';
import type { BlobRef } from './types.ts';

export const blobKey = (digest: string): string => `blobs/${digest.slice(0, 2)}/${digest}`;
/** Where a blob's verified-stamp lies among the stamps. */
export const stampKey = (digest: string): string => `blobs/${digest.slice(0, 2)}/${digest}`;

/** Hashing so little is cheaper than keeping a stamp of it. */
const STAMP_FROM_BYTES = 256 << 10;

/** Blobs whose bytes are known to match their digest. */
export interface VerifiedBlobs {
  /** Notes that the stored bytes have just been hashed. */
  trust(blob: BlobRef): Promise<void>;
  /** What is wrong with a blob, if anything. A blob that is verified and untouched since is not hashed again unless `deep`. */
  problem(digest: string, options?: { bytes?: number; deep?: boolean }): Promise<'missing' | 'corrupt' | undefined>;
  /** A file with the blob's verified bytes. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT */
  file(digest: string): Promise<string>;
}

export function verifiedBlobs(driver: StoreDriver, stamps: Stamps): VerifiedBlobs {
  async function sound(digest: string, path: string, deep: boolean): Promise<boolean> {
    const before = await stampOf(path);
    const small = Number(before.size) < STAMP_FROM_BYTES;
    if (!deep && !small && sameStamp(await stamps.read<FileStamp>(stampKey(digest)), before)) return true;
    if ((await hashFile(path)).digest !== digest) return false;
    if (!small) await stamps.write(stampKey(digest), before);
    return true;
  }

  return {
    async trust({ digest, bytes }) {
      if (bytes < STAMP_FROM_BYTES) return;
      const path = await driver.localFile(blobKey(digest));
      if (path !== undefined) await stamps.write(stampKey(digest), await stampOf(path));
    },

    async problem(digest, { bytes, deep = false } = {}) {
      const info = await driver.stat(blobKey(digest));
      if (info === undefined) return 'missing';
      if (bytes !== undefined && info.bytes !== bytes) return 'corrupt';
      // Where looking means fetching, the bytes are verified when they are fetched.
      if (!driver.resident && !deep) return undefined;
      const path = await driver.localFile(blobKey(digest));
      if (path === undefined) return 'missing';
      try {
        return (await sound(digest, path, deep)) ? undefined : 'corrupt';
      } catch (error) {
        throw readError(error, path, driver.location);
      }
    },

    async file(digest) {
      for (let copies = driver.resident ? 1 : 2; ; copies--) {
        const path = await driver.localFile(blobKey(digest));
        if (path === undefined) throw notFound(`Blob ${digest}`, driver.location);
        const ok = await sound(digest, path, false).catch((error: unknown) => {
          throw readError(error, path, driver.location);
        });
        if (ok) return path;
        if (copies === 1) throw corrupt(`Blob ${digest}`, path);
        // Only this machine's copy was changed: fetched anew.
        await rm(path, { force: true });
      }
    },
  };
}

export function notFound(what: string, location: string): HourglassError {
  return new HourglassError(
    'ARTIFACT_NOT_FOUND',
    `${what} is not in the store ${location}. Run the pipeline that makes it, or choose its store with --store.`,
  );
}

export function corrupt(
  what: string,
  place: string,
  remedy = 'Run the pipeline again: it is computed anew.',
): HourglassError {
  return new HourglassError(
    'ARTIFACT_CORRUPT',
    `${what} was changed on disk: ${place} is no longer what was written. ${remedy}`,
    { details: { place } },
  );
}

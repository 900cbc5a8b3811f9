import { relative, resolve, sep } from 'node:path';
import { canonicalJson, HourglassError } from '@hourglass/core';
import { hashBytes, hashFile } from './hash-file.ts';
import { mapLimited } from './map-limited.ts';
import { isNpmUri, parseNpmUri } from './npm-source.ts';
import { digestOfObject } from './s3/destination.ts';
import { isS3Uri } from './s3/uri.ts';
import { listSourceFiles, type SourceFiles } from './source-files.ts';
import { sameStamp, stampOf, type FileStamp, type Stamps } from './stamps.ts';
import { errnoOf } from './storage-error.ts';
import type { Fingerprint } from './types.ts';

/**
 * A file written this recently may be written again within the same tick of the filesystem's clock (2 s on the
 * coarsest), so its stamp is not kept.
 */
const SETTLE_MS = 2000;

interface Known {
  stamp: FileStamp;
  digest: string;
}

/** Digests of files outside the store, remembered in the store by stamp. */
export function fingerprints(stamps: Stamps): {
  source(source: string, baseDir?: string): Promise<Fingerprint>;
  destination(path: string): Promise<string | undefined>;
} {
  async function of({ kind, root, files, commit }: SourceFiles, label: string): Promise<Fingerprint> {
    const key = `sources/${hashBytes(`${root}\n${label}`)}.json`;
    const known = (await stamps.read<Record<string, Known>>(key)) ?? {};
    const next: Record<string, Known> = {};
    let fresh = 0;
    let bytes = 0;
    const digests = await mapLimited(files, 4, async (file) => {
      const before = known[file];
      const { stamp, digest } =
        before !== undefined && sameStamp(before.stamp, await stampOf(file)) ? before : await settled(file, label);
      bytes += Number(stamp.size);
      if (Date.now() - Number(BigInt(stamp.mtimeNs) / 1_000_000n) > SETTLE_MS) next[file] = { stamp, digest };
      if (next[file] !== undefined && next[file] !== before) fresh++;
      return digest;
    });
    if (fresh > 0) await stamps.write(key, next);
    if (kind === 'file') return { digest: digests[0]!, files, bytes };
    const named = files.map((file, i) => [relative(root, file).split(sep).join('/'), digests[i]]);
    // Equal files are another table where the manifest gives them columns of other types or another order.
    return { digest: hashBytes(canonicalJson(commit === undefined ? named : [named, commit.columns])), files, bytes };
  }

  return {
    async source(source, baseDir) {
      if (!isNpmUri(source)) return of(await listSourceFiles(source, baseDir), source);
      // A published version never changes, so nothing need be fetched to know it.
      const { name, version, path } = parseNpmUri(source);
      return { digest: hashBytes(canonicalJson(['npm', name, version, path])), files: [], bytes: 0 };
    },

    async destination(path) {
      if (isS3Uri(path)) return digestOfObject(path);
      try {
        return (await of(await listSourceFiles(resolve(path)), path)).digest;
      } catch (error) {
        if (error instanceof HourglassError && error.code === 'SOURCE_NOT_FOUND') return undefined;
        throw error;
      }
    },
  };
}

/** Hashes a file that stays as it is meanwhile. */
async function settled(file: string, source: string): Promise<Known> {
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = await stampOf(file);
      const { digest } = await hashFile(file);
      if (sameStamp(before, await stampOf(file))) return { stamp: before, digest };
    }
  } catch (error) {
    throw new HourglassError(
      'SOURCE_INVALID',
      `Source "${source}": ${file} cannot be read (${errnoOf(error) ?? String(error)}). Check that it exists and its permissions.`,
      { cause: error },
    );
  }
  throw new HourglassError(
    'SOURCE_INVALID',
    `Source "${source}": ${file} changed each time it was read. Wait until it is written completely, then run again.`,
  );
}

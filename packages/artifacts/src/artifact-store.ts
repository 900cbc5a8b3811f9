import { readFile } from 'node:fs/promises';
import { ARTIFACT_KINDS, canonicalJson, HourglassError } from '@hourglass/core';
import type { ArtifactManifest } from '@hourglass/core';
import { artifactRef } from './artifact-ref.ts';
import { moveFile, writeHashed } from './blob-files.ts';
import type { StoreDriver } from './driver.ts';
import { hashBytes, hashFile } from './hash-file.ts';
import { mapLimited } from './map-limited.ts';
import { writeError } from './storage-error.ts';
import type { TempFiles } from './temp-files.ts';
import type { ArtifactStore, BlobRef } from './types.ts';
import { blobKey, corrupt, notFound, type VerifiedBlobs } from './verified-blobs.ts';

export const manifestKey = (digest: string): string => `artifacts/${digest.slice(0, 2)}/${digest}.json`;
export const noteKey = (digest: string): string => `notes/${digest.slice(0, 2)}/${digest}.json`;
const DIGEST = /^[0-9a-f]{64}$/;

export function artifactStore(driver: StoreDriver, temp: TempFiles, blobs: VerifiedBlobs): ArtifactStore {
  /**
   * Runs `write` on a fresh path of the store's filesystem and takes the file in; nothing stays behind on failure.
   * Errors that `isForeign` claims are the caller's own and pass through as they are.
   */
  async function takeIn(
    write: (path: string) => Promise<BlobRef>,
    isForeign: (error: unknown) => boolean = () => false,
  ): Promise<BlobRef> {
    let path: string | undefined;
    try {
      path = await temp.path();
      const ref = await write(path);
      await driver.putFile(blobKey(ref.digest), path);
      await blobs.trust(ref);
      return ref;
    } catch (error) {
      throw isForeign(error) ? error : await writeError(error, path ?? driver.localFolder, driver.location);
    } finally {
      if (path !== undefined) await temp.discard(path);
    }
  }

  async function readManifest(digest: string): Promise<ArtifactManifest | 'missing' | 'corrupt'> {
    const bytes = await driver.read(manifestKey(requireDigest(digest)));
    if (bytes === undefined) return 'missing';
    return hashBytes(bytes) === digest ? (JSON.parse(new TextDecoder().decode(bytes)) as ArtifactManifest) : 'corrupt';
  }

  return {
    location: driver.location,

    async putBlob(source) {
      if (source instanceof Uint8Array) return takeIn((path) => writeHashed(path, source));
      const failure: { error?: unknown } = {};
      async function* watched(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
        try {
          yield* chunks;
        } catch (error) {
          failure.error = error;
          throw error;
        }
      }
      return takeIn(
        (path) => writeHashed(path, watched(source)),
        (error) => error !== undefined && error === failure.error,
      );
    },

    async putFile(source) {
      const ref = await takeIn(async (path) => {
        await moveFile(source, path);
        return hashFile(path);
      });
      await temp.discard(source);
      return ref;
    },

    async tempPath(suffix) {
      try {
        return await temp.path(suffix);
      } catch (error) {
        throw await writeError(error, driver.localFolder, driver.location);
      }
    },

    async readBlob(digest) {
      // Fetched once and kept, verified on the way.
      if (!driver.resident) return readFile(await blobs.file(requireDigest(digest)));
      const bytes = await driver.read(blobKey(requireDigest(digest)));
      if (bytes === undefined) throw notFound(`Blob ${digest}`, driver.location);
      if (hashBytes(bytes) !== digest) throw corrupt(`Blob ${digest}`, `${driver.location}/${blobKey(digest)}`);
      return bytes;
    },

    localPath: (digest) => blobs.file(requireDigest(digest)),

    has: async (digest) => (await driver.stat(blobKey(requireDigest(digest)))) !== undefined,

    async put(manifest) {
      checkManifest(manifest);
      await mapLimited(manifest.parts, 16, async (part) => {
        const info = await driver.stat(blobKey(part.digest));
        if (info?.bytes === part.bytes) return;
        throw new HourglassError(
          'OUTPUT_INVALID',
          `Part "${part.key}" of a ${manifest.kind} artifact: expected a blob ${part.digest} of ${part.bytes} bytes in the ` +
            `store ${driver.location}, found ${info === undefined ? 'none' : `${info.bytes} bytes`}. Put the blob first.`,
        );
      });
      const bytes = new TextEncoder().encode(canonicalJson(manifest));
      const digest = hashBytes(bytes);
      await driver.put(manifestKey(digest), bytes);
      return artifactRef(manifest, digest, bytes.byteLength);
    },

    async get(ref, kind) {
      const manifest = await readManifest(ref.digest);
      if (manifest === 'missing') throw notFound(`Artifact ${ref.digest}`, driver.location);
      if (manifest === 'corrupt')
        throw corrupt(`Artifact ${ref.digest}`, `${driver.location}/${manifestKey(ref.digest)}`);
      if (kind !== undefined && manifest.kind !== kind)
        throw new HourglassError(
          'INPUT_INVALID',
          `Artifact ${ref.digest}: expected a ${kind}, found a ${manifest.kind}. Connect an artifact of the kind ${kind}.`,
        );
      return manifest;
    },

    async verify(ref, { deep = false } = {}) {
      const manifest = await readManifest(ref.digest);
      if (typeof manifest === 'string') return { ok: false, digest: ref.digest, problem: manifest };
      // One blob may be several parts; each is looked at once.
      const distinct = [...new Map(manifest.parts.map((part) => [part.digest, part])).values()];
      const problems = await mapLimited(distinct, 4, async (part) => ({
        part,
        problem: await blobs.problem(part.digest, { bytes: part.bytes, deep }),
      }));
      for (const { part, problem } of problems)
        if (problem !== undefined) return { ok: false, digest: part.digest, part, problem };
      return { ok: true };
    },

    async annotate(digest, note) {
      await driver.put(noteKey(requireDigest(digest)), new TextEncoder().encode(JSON.stringify(note)));
    },

    async annotation(digest) {
      const bytes = await driver.read(noteKey(requireDigest(digest)));
      try {
        return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>);
      } catch {
        return undefined;
      }
    },
  };
}

function requireDigest(digest: string): string {
  if (DIGEST.test(digest)) return digest;
  throw new HourglassError('CALL_INVALID', `Expected a sha256 digest (64 hex digits), found "${digest.slice(0, 80)}".`);
}

function checkManifest({ kind, parts }: ArtifactManifest): void {
  const invalid = (message: string): HourglassError => new HourglassError('OUTPUT_INVALID', message);
  if (!ARTIFACT_KINDS.includes(kind))
    throw invalid(`Artifact kind: expected one of ${ARTIFACT_KINDS.join(', ')}, found "${kind}".`);
  const keys = new Set<string>();
  for (const { key, digest } of parts) {
    if (!DIGEST.test(digest)) throw invalid(`Part "${key}": expected a sha256 digest, found "${digest}".`);
    if (keys.has(key)) throw invalid(`Part "${key}" occurs twice; keys are unique within an artifact.`);
    keys.add(key);
  }
}

import { createHash } from 'node:crypto';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { parseByteSize } from '../byte-size.ts';
import { cacheFolder } from '../cache-folder.ts';
import type { StoreDriver } from '../driver.ts';
import { hashFile } from '../hash-file.ts';
import { writeError } from '../storage-error.ts';
import { tempFiles } from '../temp-files.ts';
import { s3Client, type S3ClientOptions } from './client.ts';
import { downloadBytes, downloadFile } from './download.ts';
import { explainFailure, S3Failure } from './failure.ts';
import { localCopies, type LocalCopies } from './local-copies.ts';
import { deleteObject, headObject, listObjects, putObjectIfAbsent, requireConditionalPuts } from './objects.ts';
import { s3Settings } from './settings.ts';
import { uploadBytes, uploadFile } from './upload.ts';
import { parseS3Uri } from './uri.ts';

export interface S3DriverOptions extends S3ClientOptions {
  env?: Record<string, string | undefined>;
}

/**
 * A store in object storage, `s3://bucket/prefix`. Blobs that are read or written are kept on this machine under their
 * digest (`HOURGLASS_CACHE_LIMIT`, 20 GB unless it says otherwise).
 *
 * @throws CALL_INVALID when the address or the environment does not say enough
 */
export function s3Driver(location: string, options: S3DriverOptions = {}): StoreDriver {
  const { env = process.env, ...clientOptions } = options;
  const { bucket, key: prefix } = parseS3Uri(location);
  const settings = s3Settings(env);
  const client = s3Client(settings, bucket, clientOptions);
  const uri = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  const objectKey = (key: string): string => (prefix === '' ? key : `${prefix}/${key}`);
  const storeTag = createHash('sha256').update(`${settings.endpoint.href} ${uri}`).digest('hex').slice(0, 16);
  const localFolder = join(cacheFolder(env), 'stores', storeTag);
  const copies = machineCopies(env);
  const temp = tempFiles(join(localFolder, 'tmp'));
  const fetching = new Map<string, Promise<string | undefined>>();
  let conditionsHonoured = false;

  const failed =
    (code: 'STORE_UNREADABLE' | 'STORE_UNWRITABLE') =>
    (error: unknown): never => {
      if (!(error instanceof S3Failure)) throw error;
      throw new HourglassError(
        error.transient ? 'STORE_UNREACHABLE' : code,
        `Artifact store ${uri}: ${explainFailure(error, client.endpoint, bucket)}`,
        { details: { location: uri, status: error.status, reason: error.reason }, cause: error },
      );
    };
  const unreadable = failed('STORE_UNREADABLE');
  const unwritable = failed('STORE_UNWRITABLE');

  /** Fetches to a temporary file and hands it on; nothing is left of it afterwards. */
  async function fetchAside<T>(key: string, take: (path: string) => Promise<T>): Promise<T | undefined> {
    let path: string | undefined;
    try {
      path = await temp.path();
      if (!(await downloadFile(client, objectKey(key), path))) return undefined;
      return await take(path);
    } catch (error) {
      throw error instanceof S3Failure ? error : writeError(error, path ?? localFolder, localFolder);
    } finally {
      if (path !== undefined) await temp.discard(path);
    }
  }

  /** A blob's bytes as they should be: what does not match its digest is fetched once more, then given up. */
  async function fetchBlob(key: string, digest: string): Promise<string | undefined> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const fetched = await fetchAside(key, async (path) =>
        (await hashFile(path)).digest === digest ? { path: await copies.keep(digest, path) } : 'corrupt',
      );
      if (fetched !== 'corrupt') return fetched?.path;
    }
    // Under this name the bytes are of no use to anybody; without them the result counts as lost and is computed anew.
    await deleteObject(client, objectKey(key)).catch(() => undefined);
    throw new HourglassError(
      'ARTIFACT_CORRUPT',
      `Blob ${digest} in the store ${uri} is no longer what was written; it was removed there. Run the pipeline again: it is computed anew.`,
      { details: { place: `${uri}/${key}` } },
    );
  }

  /** Several in this process that want the same blob wait for one transfer. */
  function blobCopy(key: string, digest: string): Promise<string | undefined> {
    const running = fetching.get(digest) ?? fetchBlob(key, digest).finally(() => fetching.delete(digest));
    fetching.set(digest, running);
    return running;
  }

  return {
    location: uri,
    localFolder,
    resident: false,

    read: (key) => downloadBytes(client, objectKey(key)).catch(unreadable),

    async stat(key) {
      const head = await headObject(client, objectKey(key)).catch(unreadable);
      return head && { key, bytes: head.bytes, modified: head.modified };
    },

    async *list(folder) {
      const from = objectKey(folder === '' ? '' : `${folder}/`);
      const skip = prefix === '' ? 0 : prefix.length + 1;
      try {
        for await (const { key, bytes, modified } of listObjects(client, from))
          yield { key: key.slice(skip), bytes, modified };
      } catch (error) {
        unreadable(error);
      }
    },

    put: (key, bytes) => uploadBytes(client, objectKey(key), bytes).catch(unwritable),

    async putIfAbsent(key, bytes) {
      try {
        const won = await putObjectIfAbsent(client, objectKey(key), bytes);
        if (won && !conditionsHonoured) await requireConditionalPuts(client, objectKey(key), bytes);
        conditionsHonoured ||= won;
        return won;
      } catch (error) {
        return unwritable(error);
      }
    },

    async putFile(key, path) {
      try {
        await uploadFile(client, objectKey(key), path).catch(unwritable);
        const digest = digestIn(key);
        // The next stage reads what this one wrote.
        // A copy that cannot be kept is fetched when it is wanted.
        if (digest !== undefined) await copies.keep(digest, path).catch(() => undefined);
      } finally {
        await temp.discard(path);
        await rm(path, { force: true });
      }
    },

    async localFile(key) {
      try {
        const digest = digestIn(key);
        if (digest !== undefined) return (await copies.find(digest)) ?? (await blobCopy(key, digest));
        return await fetchAside(key, async (path) => {
          const target = join(localFolder, 'files', key);
          await mkdir(dirname(target), { recursive: true });
          await chmod(path, 0o444);
          await rename(path, target);
          return target;
        });
      } catch (error) {
        return unreadable(error);
      }
    },

    delete: (key) => deleteObject(client, objectKey(key)).catch(unwritable),
  };
}

/** Blobs are named by the digest of their bytes. */
const digestIn = (key: string): string | undefined => /^blobs\/..\/([0-9a-f]{64})$/.exec(key)?.[1];

/** The copies this machine keeps of remote blobs and sources. */
export function machineCopies(env: Record<string, string | undefined>): LocalCopies {
  const text = env['HOURGLASS_CACHE_LIMIT'] || '20GB';
  const limit = parseByteSize(text);
  if (limit === undefined)
    throw new HourglassError(
      'CALL_INVALID',
      `HOURGLASS_CACHE_LIMIT: expected a size such as 20GB or 512MiB, found "${text}".`,
    );
  return localCopies(cacheFolder(env), limit);
}

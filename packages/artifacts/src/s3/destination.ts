import { HourglassError } from '@hourglass/core';
import { join } from 'node:path';
import { cacheFolder } from '../cache-folder.ts';
import { hashBytes, hashFile } from '../hash-file.ts';
import { tempFiles } from '../temp-files.ts';
import type { BlobRef } from '../types.ts';
import { s3Client, type S3Client } from './client.ts';
import { downloadBytes } from './download.ts';
import { explainFailure, S3Failure } from './failure.ts';
import { headObject } from './objects.ts';
import { s3Settings } from './settings.ts';
import { uploadFile } from './upload.ts';
import { parseS3Uri } from './uri.ts';

/** Says with an object what its bytes are, so that whether it is still what was written costs no transfer. */
const DIGEST = 'hourglass-sha256';

/** Writes one object, whole or not at all. @throws SINK_UNWRITABLE, CALL_INVALID; errors of ours from `write` as they are */
export async function deliverObject(uri: string, write: (path: string) => Promise<void>): Promise<BlobRef> {
  const temp = tempFiles(join(cacheFolder(), 'tmp'));
  const aside = await temp.path();
  try {
    return await at(uri, 'SINK_UNWRITABLE', async (client, key) => {
      await write(aside);
      const written = await hashFile(aside);
      await uploadFile(client, key, aside, { [`x-amz-meta-${DIGEST}`]: written.digest });
      return written;
    });
  } finally {
    await temp.discard(aside);
  }
}

/** Digest of what lies at a destination; undefined when nothing does. */
export function digestOfObject(uri: string): Promise<string | undefined> {
  return at(uri, 'SOURCE_INVALID', async (client, key) => {
    const head = await headObject(client, key);
    if (head === undefined || head.meta[DIGEST] !== undefined) return head?.meta[DIGEST];
    const bytes = await downloadBytes(client, key);
    return bytes && hashBytes(bytes);
  });
}

async function at<T>(
  uri: string,
  code: 'SINK_UNWRITABLE' | 'SOURCE_INVALID',
  act: (client: S3Client, key: string) => Promise<T>,
): Promise<T> {
  const { bucket, key } = parseS3Uri(uri);
  if (key === '')
    throw new HourglassError('CALL_INVALID', `Destination "${uri}": expected s3://bucket/name, found no name.`);
  const client = s3Client(s3Settings(), bucket);
  try {
    return await act(client, key);
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error;
    throw new HourglassError(code, `${uri}: ${explainFailure(error, client.endpoint, bucket)}`, { cause: error });
  }
}

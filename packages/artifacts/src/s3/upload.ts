import { open } from 'node:fs/promises';
import { mapLimited } from '../map-limited.ts';
import type { S3Client } from './client.ts';
import { answerFailure } from './failure.ts';
import { text } from './listing.ts';

/** Larger objects go in parts, so that memory stays bounded and a cut costs one part. The least a part may have is 5 MiB. */
export const PART_BYTES = 16 << 20;
/** The service's limit. */
const MAX_PARTS = 10_000;
const PARALLEL = 4;

/** Where an object's bytes come from, any part of them more than once. */
interface Content {
  bytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Writes or replaces an object. */
export async function uploadBytes(
  client: S3Client,
  key: string,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<void> {
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  await upload(client, key, { bytes: bytes.byteLength, read }, headers);
}

/** Writes or replaces an object with a file's bytes. */
export async function uploadFile(
  client: S3Client,
  key: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const file = await open(path, 'r');
  try {
    const content: Content = {
      bytes: (await file.stat()).size,
      async read(offset, length) {
        const buffer = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(buffer, 0, length, offset);
        if (bytesRead !== length) throw new Error(`${path} was cut while it was being sent`);
        return buffer;
      },
    };
    await upload(client, key, content, headers);
  } finally {
    await file.close();
  }
}

async function upload(client: S3Client, key: string, content: Content, headers: Record<string, string>): Promise<void> {
  if (content.bytes <= PART_BYTES) {
    await client.send({ method: 'PUT', key, headers, body: await content.read(0, content.bytes) });
    return;
  }
  const begun = await client.send({ method: 'POST', key, query: { uploads: '' }, headers });
  const uploadId = text(new TextDecoder().decode(begun.bytes), 'UploadId') ?? '';
  try {
    const size = Math.max(PART_BYTES, Math.ceil(content.bytes / MAX_PARTS));
    const offsets = Array.from({ length: Math.ceil(content.bytes / size) }, (_, i) => i * size);
    const parts = await mapLimited(offsets, PARALLEL, async (offset) => {
      const partNumber = String(offset / size + 1);
      const body = await content.read(offset, Math.min(size, content.bytes - offset));
      const sent = await client.send({ method: 'PUT', key, query: { partNumber, uploadId }, body });
      return `<Part><PartNumber>${partNumber}</PartNumber><ETag>${sent.headers['etag']}</ETag></Part>`;
    });
    const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const done = await client.send({ method: 'POST', key, query: { uploadId }, body });
    // Putting parts together may fail after the answer has begun: an error with status 200.
    if (new TextDecoder().decode(done.bytes).includes('<Error>')) throw answerFailure(500, done.bytes);
  } catch (error) {
    // Parts of an upload that is never completed take up room until a lifecycle rule removes them.
    await client.send({ method: 'DELETE', key, query: { uploadId }, accept: [404] }).catch(() => undefined);
    throw error;
  }
}

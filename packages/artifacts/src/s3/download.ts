import { open } from 'node:fs/promises';
import { mapLimited } from '../map-limited.ts';
import type { S3Client } from './client.ts';
import { answerFailure, S3Failure } from './failure.ts';

/** Bytes asked for at a time: what a cut connection costs, and what one connection holds in memory. */
export const RANGE_BYTES = 16 << 20;
const PARALLEL = 4;

/** The first bytes of an object, and what is known of the rest. */
interface Beginning {
  bytes: Uint8Array;
  total: number;
  etag: string;
}

/** An object's bytes in memory. */
export async function downloadBytes(client: S3Client, key: string): Promise<Uint8Array | undefined> {
  const first = await beginning(client, key);
  if (first === undefined || first.bytes.byteLength === first.total) return first?.bytes;
  const whole = new Uint8Array(first.total);
  whole.set(first.bytes);
  await rest(client, key, first, async (bytes, offset) => whole.set(bytes, offset));
  return whole;
}

/** An object's bytes in a new file. @returns false when there is no such object */
export async function downloadFile(client: S3Client, key: string, path: string): Promise<boolean> {
  const first = await beginning(client, key);
  if (first === undefined) return false;
  const file = await open(path, 'wx');
  try {
    await file.write(first.bytes, 0, first.bytes.byteLength, 0);
    await rest(client, key, first, async (bytes, offset) => {
      await file.write(bytes, 0, bytes.byteLength, offset);
    });
  } finally {
    await file.close();
  }
  return true;
}

async function beginning(client: S3Client, key: string): Promise<Beginning | undefined> {
  const answer = await client.send({
    method: 'GET',
    key,
    headers: { range: `bytes=0-${RANGE_BYTES - 1}` },
    accept: [404, 416],
  });
  if (answer.status === 404) {
    // Without its bucket, or for somebody unknown, a store is not merely empty.
    const failure = answerFailure(404, answer.bytes);
    if (failure.reason !== 'NoSuchKey' && answer.bytes.byteLength > 0) throw failure;
    return undefined;
  }
  const etag = String(answer.headers['etag'] ?? '');
  // No byte 0: the object is empty.
  if (answer.status === 416) return { bytes: new Uint8Array(), total: 0, etag };
  // Where ranges are not known, or the object is empty, the whole comes.
  if (answer.status === 200) return { bytes: answer.bytes, total: answer.bytes.byteLength, etag };
  return { bytes: answer.bytes, total: totalOf(answer.headers['content-range']), etag };
}

async function rest(
  client: S3Client,
  key: string,
  first: Beginning,
  take: (bytes: Uint8Array, offset: number) => Promise<void>,
): Promise<void> {
  const offsets: number[] = [];
  for (let offset = first.bytes.byteLength; offset < first.total; offset += RANGE_BYTES) offsets.push(offset);
  await mapLimited(offsets, PARALLEL, async (offset) => {
    const last = Math.min(offset + RANGE_BYTES, first.total) - 1;
    const { bytes } = await client.send({
      method: 'GET',
      key,
      // Pieces of one version only: replaced meanwhile, it is an error rather than a mixture.
      headers: { range: `bytes=${offset}-${last}`, ...(first.etag ? { 'if-match': first.etag } : {}) },
    });
    if (bytes.byteLength !== last - offset + 1)
      throw new S3Failure(0, 'short answer', `expected ${last - offset + 1} bytes, found ${bytes.byteLength}`);
    await take(bytes, offset);
  });
}

function totalOf(contentRange: string | undefined): number {
  const total = /\/(\d+)$/.exec(contentRange ?? '')?.[1];
  if (total === undefined)
    throw new S3Failure(502, 'BadRange', `the answer to a ranged request says "${contentRange ?? ''}" of its range`);
  return Number(total);
}

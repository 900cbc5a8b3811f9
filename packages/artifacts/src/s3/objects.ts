import { randomBytes } from 'node:crypto';
import type { ObjectInfo } from '../driver.ts';
import type { S3Client } from './client.ts';
import { S3Failure } from './failure.ts';
import { readListing } from './listing.ts';

/** What names the writer of an object, so that a writer whose answer was lost recognises its own. */
const WRITER = 'x-amz-meta-hourglass-writer';

export interface ObjectHead extends ObjectInfo {
  etag: string;
  /** What was said of it when it was written, by name without `x-amz-meta-`. */
  meta: Record<string, string>;
}

/** What an object is, without its bytes. */
export async function headObject(client: S3Client, key: string): Promise<ObjectHead | undefined> {
  const { status, headers } = await client.send({ method: 'HEAD', key, accept: [404] });
  if (status === 404) return undefined;
  const meta = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), String(value)]] : [],
  );
  return {
    key,
    bytes: Number(headers['content-length'] ?? 0),
    modified: Date.parse(String(headers['last-modified'])),
    etag: String(headers['etag'] ?? ''),
    meta: Object.fromEntries(meta) as Record<string, string>,
  };
}

/** Every object whose key begins with `prefix`. */
export async function* listObjects(
  client: S3Client,
  prefix: string,
): AsyncIterable<ObjectInfo & Pick<ObjectHead, 'etag'>> {
  let token: string | undefined;
  do {
    const query = { 'list-type': '2', prefix, ...(token === undefined ? {} : { 'continuation-token': token }) };
    const { bytes } = await client.send({ method: 'GET', key: '', query });
    const page = readListing(new TextDecoder().decode(bytes));
    yield* page.objects;
    token = page.next;
  } while (token !== undefined);
}

export async function deleteObject(client: S3Client, key: string): Promise<void> {
  await client.send({ method: 'DELETE', key, accept: [404] });
}

/** @returns false, writing nothing, when the object exists; of several writers exactly one gets true */
export async function putObjectIfAbsent(client: S3Client, key: string, body: Uint8Array): Promise<boolean> {
  const writer = randomBytes(12).toString('hex');
  const { status, sent } = await client.send({
    method: 'PUT',
    key,
    body,
    headers: { 'if-none-match': '*', [WRITER]: writer },
    accept: [412],
  });
  if (status !== 412) return true;
  // The answer to an earlier try may have been lost after it was carried out: then the object that is there is this one's.
  return sent > 1 && (await headObject(client, key))?.meta[WRITER.slice('x-amz-meta-'.length)] === writer;
}

/**
 * Finds out whether conditional writes are honoured: an implementation that ignores the condition would let two writers
 * overwrite each other unnoticed.
 *
 * @param key of an object that exists
 * @throws S3Failure when they are not
 */
export async function requireConditionalPuts(client: S3Client, key: string, body: Uint8Array): Promise<void> {
  const { status } = await client.send({
    method: 'PUT',
    key,
    body,
    headers: { 'if-none-match': '*' },
    accept: [412],
  });
  if (status !== 412)
    throw new S3Failure(
      501,
      'NoConditionalPuts',
      `it overwrites an object in spite of "If-None-Match: *", so two writers would not be safe; use a service that honours it`,
    );
}

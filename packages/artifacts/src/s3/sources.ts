import { mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { didYouMean, firstNames, HourglassError } from '@hourglass/core';
import { cacheFolder } from '../cache-folder.ts';
import { globBase, globPattern, isGlob } from '../glob.ts';
import { hashBytes, hashFile } from '../hash-file.ts';
import { mapLimited } from '../map-limited.ts';
import type { SourceFiles } from '../source-files.ts';
import { tempFiles } from '../temp-files.ts';
import { s3Client, type S3Client } from './client.ts';
import { downloadFile } from './download.ts';
import { machineCopies } from './driver.ts';
import { explainFailure, S3Failure } from './failure.ts';
import type { LocalCopies } from './local-copies.ts';
import { headObject, listObjects, type ObjectHead } from './objects.ts';
import { s3Settings } from './settings.ts';
import { parseS3Uri } from './uri.ts';

type Found = Pick<ObjectHead, 'key' | 'bytes' | 'etag'>;

/** What an object held when it was fetched. */
interface Known {
  etag: string;
  digest: string;
}

/**
 * The objects an `s3://` source stands for (one, all below a prefix, or those a glob matches) as files of this machine under
 * their own names: links to copies by digest. What is here already and unchanged there is not fetched again.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_INVALID, CALL_INVALID
 */
export async function remoteSourceFiles(
  source: string,
  env: Record<string, string | undefined> = process.env,
): Promise<SourceFiles> {
  const { bucket, key } = parseS3Uri(source);
  const client = s3Client(s3Settings(env), bucket);
  try {
    const { kind, base, objects } = await find(client, source, key);
    const root = join(cacheFolder(env), 'sources', hashBytes(`${client.endpoint} ${bucket}`).slice(0, 16), base);
    const copies = machineCopies(env);
    const files = await mapLimited(objects, 4, (object) => fetched(client, object, copies, root, base));
    return { kind, root, files };
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error;
    throw new HourglassError(
      error.reason === 'NoSuchBucket' ? 'SOURCE_NOT_FOUND' : 'SOURCE_INVALID',
      `Source "${source}": ${explainFailure(error, client.endpoint, bucket)}`,
      { cause: error },
    );
  }
}

async function find(
  client: S3Client,
  source: string,
  key: string,
): Promise<{ kind: SourceFiles['kind']; base: string; objects: Found[] }> {
  const head = key === '' ? undefined : await headObject(client, key);
  if (head !== undefined) return { kind: 'file', base: parentOf(key), objects: [head] };
  const glob = isGlob(key);
  const base = glob ? globBase(key).replace(/^\.$/, '') : key;
  const there = await below(client, base);
  const pattern = glob ? globPattern(key) : undefined;
  const objects = pattern ? there.filter((object) => pattern.test(object.key)) : there;
  if (objects.length > 0) return { kind: glob ? 'glob' : 'folder', base, objects };
  const near = glob ? there : await below(client, parentOf(key));
  const names = near.map((object) => posix.relative(glob ? base : parentOf(key), object.key));
  const meant = glob ? undefined : didYouMean(posix.basename(key), names);
  const some = firstNames(names, 8);
  throw new HourglassError(
    'SOURCE_NOT_FOUND',
    `Source "${source}": expected an object, or some below it, found none.` +
      `${meant ? ` Did you mean "${meant}"?` : ''} ${some ? `There are ${some}.` : 'Nothing is there.'}`,
  );
}

/** Objects below a prefix, sorted by name; those that stand for a folder hold nothing. */
async function below(client: S3Client, base: string): Promise<Found[]> {
  const found: Found[] = [];
  for await (const object of listObjects(client, base === '' ? '' : `${base}/`))
    if (!object.key.endsWith('/')) found.push(object);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const parentOf = (key: string): string => posix.dirname(key).replace(/^\.$/, '');

async function fetched(
  client: S3Client,
  object: Found,
  copies: LocalCopies,
  root: string,
  base: string,
): Promise<string> {
  const file = join(root, posix.relative(base, object.key));
  const note = join(dirname(file), `.${posix.basename(file)}.json`);
  const known = await readFile(note, 'utf8')
    .then((text) => JSON.parse(text) as Known)
    .catch(() => undefined);
  if (known?.etag === object.etag && (await copies.find(known.digest)) && (await stat(file).catch(() => undefined)))
    return file;
  const temp = tempFiles(join(cacheFolder(), 'tmp'));
  const aside = await temp.path();
  try {
    if (!(await downloadFile(client, object.key, aside)))
      throw new HourglassError('SOURCE_NOT_FOUND', `${object.key} was deleted while it was about to be read.`);
    const { digest } = await hashFile(aside);
    const copy = await copies.keep(digest, aside);
    await mkdir(dirname(file), { recursive: true });
    const link = await temp.path();
    await symlink(copy, link);
    await rename(link, file);
    temp.release(link);
    await writeFile(note, JSON.stringify({ etag: object.etag, digest } satisfies Known));
    return file;
  } finally {
    await temp.discard(aside);
  }
}

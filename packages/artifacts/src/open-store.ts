import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { artifactStore } from './artifact-store.ts';
import { cacheRecords } from './cache-records.ts';
import { checkpointSlot } from './checkpoint-slot.ts';
import type { StoreDriver } from './driver.ts';
import { fingerprints } from './fingerprints.ts';
import { folderDriver } from './folder-driver.ts';
import { names } from './names.ts';
import { s3Driver } from './s3/driver.ts';
import { isS3Uri } from './s3/uri.ts';
import { stamps } from './stamps.ts';
import { tempFiles } from './temp-files.ts';
import type { Store } from './types.ts';
import { verifiedBlobs } from './verified-blobs.ts';

/** Raised when the layout changes so that older code would misread it. */
const FORMAT = 1;
const FORMAT_KEY = 'store.json';

export interface OpenOptions {
  /** Told what a person should know, such as a damaged checkpoint that is passed over. @default process.emitWarning */
  warn?: (message: string) => void;
}

/**
 * Opens the store in a folder (or `file://` URI), or in object storage (`s3://bucket/prefix`). Nothing is written before the first write, so that looking at a store
 * that is not there yet, or is read-only, works.
 *
 * @throws CALL_INVALID when the environment does not say how to reach object storage; STORE_UNREACHABLE; STORE_UNREADABLE when the place holds something that is not a store of this format
 */
export async function openStore(location: string, options: OpenOptions = {}): Promise<Store> {
  return storeOn(await driverFor(location), options);
}

/** The driver of a location, by its scheme. */
export async function driverFor(location: string): Promise<StoreDriver> {
  if (isS3Uri(location)) return s3Driver(location);
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1];
  if (scheme !== undefined && scheme !== 'file')
    throw new HourglassError(
      'CALL_INVALID',
      `Artifact store "${location}": expected a folder or s3://bucket/prefix, found the scheme "${scheme}". Correct --store or HOURGLASS_HOME.`,
    );
  const folder = scheme === 'file' ? decodeURIComponent(new URL(location).pathname) : location;
  const info = await stat(folder).catch(() => undefined);
  if (info !== undefined && !info.isDirectory())
    throw new HourglassError(
      'STORE_UNREADABLE',
      `Artifact store ${folder}: expected a folder, found a file. Choose another place with --store or HOURGLASS_HOME.`,
    );
  return folderDriver(folder);
}

/** A store above any driver. */
export async function storeOn(base: StoreDriver, options: OpenOptions = {}): Promise<Store> {
  const { warn = (message) => process.emitWarning(message) } = options;
  const driver = marked(base, await hasFormat(base));
  const kept = stamps(join(driver.localFolder, 'stamps'));
  const blobs = verifiedBlobs(driver, kept);
  const outside = fingerprints(kept);
  return {
    location: driver.location,
    driver,
    artifacts: artifactStore(driver, tempFiles(join(driver.localFolder, 'tmp')), blobs),
    cache: cacheRecords(driver),
    names: names(driver),
    checkpoint: (key, attempt, owner = '') => checkpointSlot(driver, warn, key, attempt, owner),
    fingerprintSource: outside.source,
    digestOfDestination: outside.destination,
  };
}

async function hasFormat(driver: StoreDriver): Promise<boolean> {
  const bytes = await driver.read(FORMAT_KEY);
  if (bytes === undefined) return false;
  let format: unknown;
  try {
    format = (JSON.parse(new TextDecoder().decode(bytes)) as { format?: unknown }).format;
  } catch {
    format = 'unreadable';
  }
  if (format === FORMAT) return true;
  throw new HourglassError(
    'STORE_UNREADABLE',
    `Artifact store ${driver.location}: expected format ${FORMAT} in ${FORMAT_KEY}, found ${String(format)}. ` +
      'Use the version of Hourglass that made it, or choose another store with --store.',
  );
}

/** Marks the store with its format, and as nothing to commit, before the first object is written. */
function marked(driver: StoreDriver, done: boolean): StoreDriver {
  let mark: Promise<unknown> | undefined = done ? Promise.resolve() : undefined;
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const ensure = async (): Promise<void> => {
    mark ??= driver
      .putIfAbsent(FORMAT_KEY, encode(`${JSON.stringify({ format: FORMAT })}\n`))
      .then(() => driver.putIfAbsent('.gitignore', encode('*\n')));
    await mark.catch((error: unknown) => {
      mark = undefined;
      throw error;
    });
  };
  return {
    ...driver,
    put: async (key, bytes, how) => ensure().then(() => driver.put(key, bytes, how)),
    putIfAbsent: async (key, bytes) => ensure().then(() => driver.putIfAbsent(key, bytes)),
    putFile: async (key, path) => ensure().then(() => driver.putFile(key, path)),
  };
}

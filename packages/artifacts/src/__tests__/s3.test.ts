import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storeOn } from '../open-store.ts';
import { s3Driver } from '../s3/driver.ts';
import { localCopies } from '../s3/local-copies.ts';
import type { Store } from '../types.ts';
import { faultProxy, s3TestServer, type FaultProxy } from '../testing.ts';
import { bytes, putModel, record } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const server = await s3TestServer();

describe.skipIf(server === undefined)('a store in object storage', () => {
  let proxy: FaultProxy;
  let made = 0;
  beforeAll(async () => {
    proxy = await faultProxy(server!.endpoint);
    await server!.makeBucket('faults');
  });
  afterAll(async () => {
    await proxy.stop();
    await server!.stop();
  });

  /** A machine of its own: another cache folder, the same store where `location` says so. */
  async function machine(location = `s3://faults/s${made++}`, env: Record<string, string> = {}): Promise<Store> {
    return storeOn(
      s3Driver(location, {
        env: { ...server!.env(proxy.endpoint), XDG_CACHE_HOME: tempFolder(), ...env },
        firstWaitMs: 1,
        maxWaitMs: 20,
        stallMs: 3000,
      }),
      { warn: () => undefined },
    );
  }
  const big = (): Uint8Array => Uint8Array.from({ length: 40 << 20 }, (_, i) => (i * 2_654_435_761) >>> 24);
  const stored = (store: Store, digest: string): string =>
    join(server!.folder, store.location.slice('s3://'.length), 'blobs', digest.slice(0, 2), digest);

  test('what one machine puts another reads: artifacts, results, names and checkpoints', async () => {
    const one = await machine();
    const { ref } = await putModel(one, 'weights');
    const kept = await one.cache.put(record({ seed: 1 }, { model: ref }));
    await one.names.publish('churn', ref, { run: 'r1' });
    await one.checkpoint(kept.key, 1, 'r1').save({ arrays: { w: Float32Array.of(1, 2) }, meta: { epoch: 3 } });
    const other = await machine(one.location);
    expect(await other.cache.get(kept.key)).toEqual(kept);
    expect(await other.artifacts.verify(ref)).toEqual({ ok: true });
    expect((await other.names.resolve('churn@latest')).ref.digest).toBe(ref.digest);
    const checkpoint = await other.checkpoint(kept.key, 2, 'r1').load();
    expect(checkpoint?.meta).toEqual({ epoch: 3 });
    await expect(one.checkpoint(kept.key, 1, 'r1').save(checkpoint!)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('a blob of many parts goes up and comes down whole, in pieces, through cuts and failures', async () => {
    const one = await machine();
    const content = big();
    proxy.next({ kind: 'status', status: 503, code: 'SlowDown' }, /PUT .*partNumber=2/, 2);
    proxy.next({ kind: 'lost' }, /PUT .*partNumber=3/);
    const blob = await one.artifacts.putBlob(content);
    const other = await machine(one.location);
    proxy.requests.length = 0;
    proxy.next({ kind: 'cut', afterBytes: 1 << 20 }, /GET .*blobs/, 3);
    const path = await other.artifacts.localPath(blob.digest);
    expect(Buffer.compare(readFileSync(path), content)).toBe(0);
    expect(proxy.requests.filter((line) => /GET .*blobs/.test(line))).toHaveLength(3 + 3);
  });

  test('what was fetched or written lies on this machine and is not fetched again', async () => {
    const one = await machine();
    const { digest } = await one.artifacts.putBlob(bytes('kept'));
    const other = await machine(one.location);
    proxy.requests.length = 0;
    for (const store of [one, other, other])
      expect(Buffer.from(await store.artifacts.readBlob(digest)).toString()).toBe('kept');
    expect(proxy.requests.filter((line) => line.startsWith('GET'))).toHaveLength(1);
  });

  test('a copy on this machine that was changed is fetched anew', async () => {
    const store = await machine();
    const { digest } = await store.artifacts.putBlob(bytes('right'));
    const path = await store.artifacts.localPath(digest);
    chmodSync(path, 0o644);
    writeFileSync(path, 'wrong');
    expect(readFileSync(await store.artifacts.localPath(digest), 'utf8')).toBe('right');
  });

  test('a byte changed on the way is noticed and the blob fetched again', async () => {
    const one = await machine();
    const { digest } = await one.artifacts.putBlob(bytes('a'.repeat(1000)));
    const other = await machine(one.location);
    proxy.next({ kind: 'corrupt' }, /GET .*blobs/);
    expect(Buffer.from(await other.artifacts.readBlob(digest)).toString()).toBe('a'.repeat(1000));
  });

  test('a blob that is damaged in the store is refused, and counts as lost afterwards so that it is computed anew', async () => {
    const one = await machine();
    const { ref, blob } = await putModel(one, 'precious');
    writeFileSync(stored(one, blob), 'preciouS');
    const other = await machine(one.location);
    await expect(other.artifacts.localPath(blob)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    expect(await other.artifacts.verify(ref)).toMatchObject({ ok: false, problem: 'missing' });
    await putModel(other, 'precious');
    expect(await other.artifacts.verify(ref, { deep: true })).toEqual({ ok: true });
  });

  test('a writer whose answer was lost knows that it won, and the other one that it lost', async () => {
    const one = await machine();
    const other = await machine(one.location);
    await one.driver.put('names/x', bytes('begun'));
    proxy.next({ kind: 'lost' }, /PUT .*versions\/1/);
    expect(await one.driver.putIfAbsent('names/a/versions/1', bytes('one'))).toBe(true);
    expect(await other.driver.putIfAbsent('names/a/versions/1', bytes('other'))).toBe(false);
    expect(Buffer.from((await other.driver.read('names/a/versions/1'))!).toString()).toBe('one');
  });

  test('slow answers and failures of the moment are outlasted; one that stays is said to be retryable', async () => {
    const store = await machine();
    await store.driver.put('a', bytes('x'));
    proxy.next({ kind: 'slow', ms: 6000 }, /GET .*\/a$/);
    proxy.next({ kind: 'status', status: 500 }, /GET .*\/a$/, 3);
    expect(Buffer.from((await store.driver.read('a'))!).toString()).toBe('x');
    proxy.next({ kind: 'status', status: 503, code: 'SlowDown' }, /GET .*\/a$/, 8);
    await expect(store.driver.read('a')).rejects.toMatchObject({ code: 'STORE_UNREACHABLE', retryable: true });
  });

  test('wrong keys, a missing bucket and a server that is not there are named with their remedy', async () => {
    const open = async (location: string, env: Record<string, string | undefined>) =>
      storeOn(s3Driver(location, { env: { ...server!.env(), ...env }, attempts: 1 }));
    await expect(open('s3://faults', { AWS_SECRET_ACCESS_KEY: 'wrong' })).rejects.toThrow(
      /Correct AWS_SECRET_ACCESS_KEY/,
    );
    await expect(open('s3://faults', { AWS_ACCESS_KEY_ID: 'nobody' })).rejects.toThrow(
      /does not know this AWS_ACCESS_KEY_ID/,
    );
    await expect(open('s3://nowhere', {})).rejects.toThrow(/no bucket "nowhere"/);
    await expect(open('s3://faults', { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' })).rejects.toThrow(
      /no answer from http:\/\/127.0.0.1:1 .*ECONNREFUSED/,
    );
    await expect(open('s3://faults', { AWS_ACCESS_KEY_ID: undefined })).rejects.toThrow(/needs AWS_ACCESS_KEY_ID/);
    await expect(open('s3://me:hunter2@faults/x', {})).rejects.toThrow(/^(?!.*hunter2).*AWS_SECRET_ACCESS_KEY/);
  });

  test('nothing is left on this machine by transfers that fail', async () => {
    const store = await machine();
    const { digest } = await store.artifacts.putBlob(bytes('whole'));
    const other = await machine(store.location);
    proxy.next({ kind: 'cut', afterBytes: 2 }, /GET .*blobs/, 8);
    await expect(other.artifacts.localPath(digest)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    proxy.next({ kind: 'status', status: 500 }, /PUT .*blobs/, 8);
    await expect(other.artifacts.putBlob(bytes('more'))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(readdirSync(join(other.driver.localFolder, 'tmp'))).toEqual([]);
  });
});

describe('copies on this machine', () => {
  async function put(copies: ReturnType<typeof localCopies>, folder: string, digit: string): Promise<string> {
    const path = join(folder, `incoming-${digit}`);
    writeFileSync(path, digit.repeat(1000));
    return copies.keep(digit.repeat(64), path);
  }
  const forget = (folder: string) => rm(join(folder, 'used'), { recursive: true, force: true });

  test('those used longest ago go when all take more than the limit', async () => {
    const folder = tempFolder();
    const copies = localCopies(folder, 2500);
    const first = await put(copies, folder, 'a');
    await forget(folder);
    await put(copies, folder, 'b');
    expect(statSync(first).mode & 0o222).toBe(0);
    await put(copies, folder, 'c');
    expect(await copies.find('a'.repeat(64))).toBeUndefined();
    expect(await copies.find('b'.repeat(64))).toBeDefined();
  });

  test('what a living process was given stays, over the limit too', async () => {
    const folder = tempFolder();
    const copies = localCopies(folder, 500);
    const path = await put(copies, folder, 'a');
    await put(copies, folder, 'b');
    expect(existsSync(path)).toBe(true);
    await forget(folder);
    expect(await copies.trim()).toBe(2000);
  });
});

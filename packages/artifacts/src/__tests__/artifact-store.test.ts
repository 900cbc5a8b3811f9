import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore, storeOn } from '../open-store.ts';
import type { Store } from '../types.ts';
import { memoryDriver } from './support/memory-driver.ts';
import { tempFolder } from './support/temp-folder.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const blobPath = (store: Store, digest: string): string => join(store.location, 'blobs', digest.slice(0, 2), digest);

/** Writes into a file that the store made read-only, as a careless tool would. */
function tamper(path: string, text: string): void {
  chmodSync(path, 0o644);
  writeFileSync(path, text);
}

const places = [
  ['folder', () => openStore(tempFolder())],
  ['remote', () => storeOn(memoryDriver())],
] as const;

describe.each(places)('artifact store in a %s', (_place, open) => {
  test('a blob has the sha256 of its bytes and comes back', async () => {
    const { artifacts } = await open();
    const ref = await artifacts.putBlob(bytes('hello'));
    expect(ref).toEqual({ digest: sha256('hello'), bytes: 5 });
    expect(Buffer.from(await artifacts.readBlob(ref.digest)).toString()).toBe('hello');
    expect(await artifacts.has(ref.digest)).toBe(true);
    expect(await artifacts.has(sha256('other'))).toBe(false);
    expect(readFileSync(await artifacts.localPath(ref.digest), 'utf8')).toBe('hello');
  });

  test('a stream of chunks gives the digest of the whole', async () => {
    const { artifacts } = await open();
    async function* chunks() {
      for (let i = 0; i < 100; i++) yield bytes(`line ${i}\n`);
    }
    const whole = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('');
    expect(await artifacts.putBlob(chunks())).toEqual({ digest: sha256(whole), bytes: whole.length });
  });

  test('a stream that fails passes its own error on and leaves nothing', async () => {
    const { artifacts, location } = await open();
    async function* broken() {
      yield bytes('some');
      throw new Error('the reader stumbled');
    }
    await expect(artifacts.putBlob(broken())).rejects.toThrow(/^the reader stumbled$/);
    if (existsSync(location)) expect(readdirSync(join(location, 'tmp'))).toEqual([]);
  });

  test('a dataset ref carries rows, bytes and the digest of its schema', async () => {
    const { artifacts } = await open();
    const part = await artifacts.putBlob(bytes('rows'));
    const columns = [{ name: 'x', type: 'float' }];
    const parts = [
      { key: 'a', ...part, rows: 3 },
      { key: 'b', ...part, rows: 4 },
    ];
    const ref = await artifacts.put({ kind: 'dataset', parts, meta: { columns, missing: ['c'] } });
    expect(ref).toMatchObject({ kind: 'dataset', rows: 7, missing: ['c'] });
    expect(ref.schemaDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(ref.bytes).toBeGreaterThan(8);
    expect(await artifacts.get(ref, 'dataset')).toEqual({ kind: 'dataset', parts, meta: { columns, missing: ['c'] } });
    const again = await artifacts.put({ meta: { missing: ['c'], columns }, parts, kind: 'dataset' });
    expect(again).toEqual(ref);
  });

  test('asking for another kind says which it is', async () => {
    const { artifacts } = await open();
    const ref = await artifacts.put({ kind: 'metrics', parts: [], meta: { loss: 1 } });
    await expect(artifacts.get(ref, 'model')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(artifacts.get(ref, 'model')).rejects.toThrow('expected a model, found a metrics');
  });

  test('an artifact whose parts are not in the store is refused', async () => {
    const { artifacts } = await open();
    const parts = [{ key: 'weights', digest: sha256('nowhere'), bytes: 7 }];
    const put = artifacts.put({ kind: 'model', parts, meta: {} });
    await expect(put).rejects.toThrow(/Part "weights".*found none/);
  });

  test('keys of parts are unique', async () => {
    const { artifacts } = await open();
    const blob = await artifacts.putBlob(bytes('x'));
    const parts = [
      { key: 'a', ...blob },
      { key: 'a', ...blob },
    ];
    await expect(artifacts.put({ kind: 'dataset', parts, meta: {} })).rejects.toThrow('"a" occurs twice');
  });

  test('what is not there is ARTIFACT_NOT_FOUND', async () => {
    const { artifacts } = await open();
    const digest = sha256('never put');
    for (const ask of [
      () => artifacts.readBlob(digest),
      () => artifacts.localPath(digest),
      () => artifacts.get({ digest }),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    expect(await artifacts.verify({ digest })).toEqual({ ok: false, digest, problem: 'missing' });
    await expect(artifacts.readBlob('../../etc/passwd')).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });

  test('notes lie beside an artifact and leave its digest alone', async () => {
    const { artifacts } = await open();
    const manifest = { kind: 'metrics' as const, parts: [], meta: { loss: 1 } };
    const { digest } = await artifacts.put(manifest);
    await artifacts.annotate(digest, { seconds: 3 });
    expect(await artifacts.annotation(digest)).toEqual({ seconds: 3 });
    expect((await artifacts.put(manifest)).digest).toBe(digest);
    expect(await artifacts.annotation(sha256('none'))).toBeUndefined();
  });
});

describe('artifact store in a folder', () => {
  test('opening writes nothing; the first write marks the folder as a store that git ignores', async () => {
    const folder = join(tempFolder(), 'new');
    const store = await openStore(folder);
    expect(await store.cache.get('0'.repeat(64))).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
    await store.artifacts.putBlob(bytes('x'));
    expect(JSON.parse(readFileSync(join(folder, 'store.json'), 'utf8'))).toEqual({ format: 1 });
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('putFile moves the file, and the stored one is read-only', async () => {
    const store = await openStore(tempFolder());
    const path = await store.artifacts.tempPath('.parquet');
    writeFileSync(path, 'columns');
    const inode = statSync(path).ino;
    const ref = await store.artifacts.putFile(path);
    expect(ref).toEqual({ digest: sha256('columns'), bytes: 7 });
    expect(existsSync(path)).toBe(false);
    const stored = statSync(blobPath(store, ref.digest));
    expect(stored.ino).toBe(inode);
    expect(stored.mode & 0o222).toBe(0);
  });

  test('putFile of a file with a second name copies, so that the other name cannot change the blob', async () => {
    const store = await openStore(tempFolder());
    const folder = tempFolder();
    writeFileSync(join(folder, 'a'), 'shared');
    linkSync(join(folder, 'a'), join(folder, 'b'));
    const { digest } = await store.artifacts.putFile(join(folder, 'a'));
    writeFileSync(join(folder, 'b'), 'edited');
    expect(existsSync(join(folder, 'a'))).toBe(false);
    expect(Buffer.from(await store.artifacts.readBlob(digest)).toString()).toBe('shared');
  });

  test('changed bytes are found by readBlob, localPath and verify, and putting them again heals', async () => {
    const store = await openStore(tempFolder());
    const { artifacts } = store;
    const blob = await artifacts.putBlob(bytes('good'));
    const ref = await artifacts.put({ kind: 'model', parts: [{ key: 'weights', ...blob }], meta: {} });
    expect(await artifacts.verify(ref)).toEqual({ ok: true });
    tamper(blobPath(store, blob.digest), 'evil');
    await expect(artifacts.readBlob(blob.digest)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    await expect(artifacts.localPath(blob.digest)).rejects.toThrow(/was changed on disk.*Run the pipeline again/);
    expect(await artifacts.verify(ref)).toMatchObject({
      ok: false,
      digest: blob.digest,
      problem: 'corrupt',
      part: { key: 'weights' },
    });
    await artifacts.putBlob(bytes('good'));
    expect(await artifacts.verify(ref)).toEqual({ ok: true });
  });

  test('a change that keeps size and modification time is found too', async () => {
    const store = await openStore(tempFolder());
    const blob = await store.artifacts.putBlob(bytes('good'));
    const ref = await store.artifacts.put({ kind: 'model', parts: [{ key: 'w', ...blob }], meta: {} });
    const path = blobPath(store, blob.digest);
    const { atime, mtime } = statSync(path);
    tamper(path, 'evil');
    utimesSync(path, atime, mtime);
    expect(await store.artifacts.verify(ref)).toMatchObject({ ok: false, problem: 'corrupt' });
  });

  test('a manifest whose bytes were changed is corrupt', async () => {
    const store = await openStore(tempFolder());
    const { digest } = await store.artifacts.put({ kind: 'metrics', parts: [], meta: { loss: 1 } });
    tamper(join(store.location, 'artifacts', digest.slice(0, 2), `${digest}.json`), '{"kind":"metrics","parts":[]}');
    await expect(store.artifacts.get({ digest })).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
    expect(await store.artifacts.verify({ digest })).toEqual({ ok: false, digest, problem: 'corrupt' });
  });

  test('the second look at a blob does not read it; a deep look does', async () => {
    const store = await openStore(tempFolder());
    const big = new Uint8Array(64 << 20).fill(7);
    const blob = await store.artifacts.putBlob(big);
    const ref = await store.artifacts.put({ kind: 'model', parts: [{ key: 'w', ...blob }], meta: {} });
    const timed = async (deep: boolean): Promise<number> => {
      const start = performance.now();
      expect(await store.artifacts.verify(ref, { deep })).toEqual({ ok: true });
      return performance.now() - start;
    };
    const cheap = Math.min(await timed(false), await timed(false), await timed(false));
    expect(cheap).toBeLessThan((await timed(true)) / 4);
  });

  test('a store of a later format, and a file in the place of one, are refused by name', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'store.json'), '{"format":99}');
    await expect(openStore(folder)).rejects.toThrow(/expected format 1.*found 99/);
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    await expect(openStore(file)).rejects.toThrow(/expected a folder, found a file/);
    await expect(openStore('gopher://x')).rejects.toMatchObject({ code: 'CALL_INVALID' });
  });
});

import { chmodSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '@hourglass/core';
import { beforeEach, describe, expect, test } from 'vitest';
import { manifestKey } from '../artifact-store.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { hashBytes } from '../hash-file.ts';
import { listArtifacts, showArtifact } from '../list-artifacts.ts';
import { openStore } from '../open-store.ts';
import type { Store } from '../types.ts';
import { blobKey } from '../verified-blobs.ts';
import { verifyStore } from '../verify-store.ts';
import { bytes, parts, putModel, record } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

let store: Store;
beforeEach(async () => {
  store = await openStore(tempFolder());
});

/** Makes everything in the store look as if last written so many days ago. */
function age(days: number): void {
  const then = Date.now() / 1000 - days * 24 * 3600;
  for (const name of readdirSync(store.location, { recursive: true, encoding: 'utf8' }))
    utimesSync(join(store.location, name), then, then);
}

async function blobs(): Promise<number> {
  let count = 0;
  for await (const { key } of store.driver.list('blobs')) count += key.length > 0 ? 1 : 0;
  return count;
}

describe('garbage collection', () => {
  test('keeps what results, names and runs refer to, and deletes the rest', async () => {
    const [cached, named, held, garbage] = await Promise.all(['c', 'n', 'h', 'garbage'].map((c) => putModel(store, c)));
    const kept = record({}, { model: cached!.ref });
    await store.cache.put(kept);
    await store.names.publish('x', named!.ref, { run: 'r' });
    await store.artifacts.putBlob(bytes('orphan'));
    await store.artifacts.annotate(garbage!.ref.digest, { seconds: 1 });
    age(3);
    const plan = await collectGarbage(store, { roots: [held!.ref.digest], dryRun: true });
    expect(await blobs()).toBe(5);
    const report = await collectGarbage(store, { roots: [held!.ref.digest] });
    expect(report.deleted.map(({ kind, bytes: size }) => [kind, size > 0]).sort()).toEqual([
      ['artifact', true],
      ['blob', true],
      ['blob', true],
      ['note', true],
    ]);
    expect(plan.deleted).toEqual(report.deleted);
    expect(plan.bytes).toBe(report.bytes);
    expect(report.kept).toEqual({ artifacts: 3, blobs: 3, bytes: 3 });
    expect(await blobs()).toBe(3);
    for (const { ref } of [cached!, named!, held!]) expect(await store.artifacts.verify(ref)).toEqual({ ok: true });
    expect(await store.cache.get(kept.key)).toEqual(kept);
    expect((await verifyStore(store)).problems).toEqual([]);
    expect((await collectGarbage(store, { roots: [held!.ref.digest] })).deleted).toEqual([]);
  });

  test('leaves alone what was just written, whoever refers to it later', async () => {
    await putModel(store, 'about to be recorded');
    await store.artifacts.putBlob(bytes('part of something unfinished'));
    expect((await collectGarbage(store, { keepDays: 0 })).deleted).toEqual([]);
    expect((await collectGarbage(store, { keepDays: 0, graceMs: -1 })).deleted).toHaveLength(3);
  });

  test('a blob that two artifacts share stays while one of them lives', async () => {
    const { ref, blob } = await putModel(store, 'shared');
    await store.artifacts.put({ kind: 'model', parts: [{ key: 'w', digest: blob, bytes: 6 }], meta: { other: true } });
    await store.cache.put(record({}, { model: ref }));
    age(3);
    expect((await collectGarbage(store)).deleted.map(({ kind }) => kind)).toEqual(['artifact']);
    expect(await store.artifacts.verify(ref)).toEqual({ ok: true });
  });

  test('keepDays forgets results not asked for, with their artifacts; asking keeps them', async () => {
    const [asked, forgotten] = await Promise.all(['asked', 'forgotten'].map((c) => putModel(store, c)));
    await store.cache.put(record({ seed: 1 }, { model: asked!.ref }));
    await store.cache.put(record({ seed: 2 }, { model: forgotten!.ref }));
    await store.cache.remember('p', 'train', parts({ seed: 1 }));
    age(40);
    expect((await collectGarbage(store)).deleted.filter(({ kind }) => kind !== 'explanation')).toEqual([]);
    // A hit remembers the same parts again; that alone makes the record recent.
    await store.cache.remember('p', 'train', parts({ seed: 1 }));
    const { deleted } = await collectGarbage(store, { keepDays: 30 });
    expect(deleted.map(({ kind }) => kind).sort()).toEqual(['artifact', 'blob', 'result']);
    expect(await store.cache.get(record({ seed: 1 }).key)).toBeDefined();
    expect(await store.cache.get(record({ seed: 2 }).key)).toBeUndefined();
    expect(await store.artifacts.has(asked!.blob)).toBe(true);
  });

  test('keepVersions lets old versions go, but never one with an alias; their names say so', async () => {
    for (const content of ['1', '2', '3', '4'])
      await store.names.publish('x', (await putModel(store, content)).ref, { run: `r${content}` });
    await store.names.promote('x@1', 'champion', { by: 'ada' });
    age(3);
    await collectGarbage(store, { keepVersions: 2 });
    for (const kept of ['x@1', 'x@champion', 'x@3', 'x@4']) await store.names.resolve(kept);
    await expect(store.names.resolve('x@2')).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    await expect(store.names.resolve('x@2')).rejects.toThrow(/x@2 was published by run r2.*it was collected/);
  });

  test('checkpoints left behind go after a week', async () => {
    await store.checkpoint('a'.repeat(64), 1).save({ arrays: {}, meta: {} });
    age(3);
    expect((await collectGarbage(store)).deleted).toEqual([]);
    age(8);
    expect((await collectGarbage(store)).deleted.map(({ kind }) => kind)).toEqual(['checkpoint']);
  });
});

describe('listing', () => {
  test('says of each artifact who gives it and what it is called; shown by digest, its beginning or name', async () => {
    const { ref } = await putModel(store, 'm');
    await store.cache.put(record({}, { model: ref }));
    await store.cache.remember('wdbc', 'train', parts());
    await store.names.publish('imputer', ref, { run: 'r' });
    await store.names.promote('imputer@1', 'champion', { by: 'ada' });
    await store.artifacts.annotate(ref.digest, { seconds: 2 });
    const [listed] = await listArtifacts(store);
    expect(listed).toMatchObject({
      ref,
      parts: 1,
      producers: ['wdbc › train.model'],
      names: ['imputer@1', 'imputer@champion'],
    });
    for (const reference of [ref.digest, ref.digest.slice(0, 6), 'imputer@champion'])
      expect(await showArtifact(store, reference)).toEqual({
        ...listed,
        manifest: await store.artifacts.get(ref),
        note: { seconds: 2 },
      });
    await expect(showArtifact(store, 'f'.repeat(64))).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    await expect(showArtifact(store, 'imputr')).rejects.toThrow('Did you mean "imputer"?');
  });

  test('an ambiguous beginning of a digest asks for more of it', async () => {
    const metrics = (i: number) => ({ kind: 'metrics' as const, parts: [], meta: { i } });
    const seen = new Map<string, number>();
    for (let i = 0; ; i++) {
      const start = hashBytes(canonicalJson(metrics(i))).slice(0, 4);
      const other = seen.get(start);
      seen.set(start, i);
      if (other === undefined) continue;
      await store.artifacts.put(metrics(i));
      await store.artifacts.put(metrics(other));
      await expect(showArtifact(store, start)).rejects.toThrow(`2 artifacts begin with "${start}"`);
      return;
    }
  });
});

describe('verification of a whole store', () => {
  test('finds changed and missing bytes, and says which results and names they break', async () => {
    const [changed, lost, fine] = await Promise.all(['changed', 'lost', 'fine'].map((c) => putModel(store, c)));
    await store.cache.put(record({ seed: 1 }, { model: changed!.ref }));
    await store.cache.put(record({ seed: 2 }, { model: lost!.ref }));
    await store.cache.put(record({ seed: 3 }, { model: fine!.ref }));
    await store.cache.remember('p', 'train', parts({ seed: 1 }));
    await store.names.publish('x', changed!.ref, { run: 'r' });
    expect(await verifyStore(store)).toMatchObject({ artifacts: 3, blobs: 3, records: 3, problems: [] });
    const path = join(store.location, blobKey(changed!.blob));
    chmodSync(path, 0o644);
    writeFileSync(path, 'CHANGED');
    rmSync(join(store.location, blobKey(lost!.blob)));
    for (const deep of [true, false]) {
      const { problems } = await verifyStore(store, { deep });
      expect(problems).toHaveLength(2);
      expect(problems).toContainEqual({
        key: blobKey(changed!.blob),
        problem: 'corrupt',
        artifacts: [changed!.ref.digest],
        records: ['p › train'],
        names: ['x@1'],
      });
      expect(problems).toContainEqual({
        key: blobKey(lost!.blob),
        problem: 'missing',
        artifacts: [lost!.ref.digest],
        records: ['imputation/train'],
        names: [],
      });
    }
  });

  test('finds damaged and missing manifests, records and names', async () => {
    const [damaged, lost] = await Promise.all(['damaged', 'lost'].map((c) => putModel(store, c)));
    await store.cache.put(record({ seed: 1 }, { model: damaged!.ref }));
    await store.cache.put(record({ seed: 2 }, { model: lost!.ref }));
    await store.names.publish('x', damaged!.ref, { run: 'r' });
    await store.driver.put(manifestKey(damaged!.ref.digest), bytes('{}'));
    await store.driver.delete(manifestKey(lost!.ref.digest));
    await store.driver.put('names/x/versions/00000002.json', bytes('{"vers'));
    await store.driver.put('cache/ab/abc.json', bytes('garbage'));
    const { problems } = await verifyStore(store);
    expect(problems.map(({ key, problem, names }) => [key.split('/')[0], problem, names]).sort()).toEqual([
      ['artifacts', 'corrupt', ['x@1']],
      ['artifacts', 'missing', []],
      ['cache', 'corrupt', []],
      ['names', 'corrupt', []],
    ]);
    await expect(store.names.resolve('x')).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' });
  });
});

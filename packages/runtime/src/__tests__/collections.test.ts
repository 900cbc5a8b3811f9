import type { ArtifactRef } from '@hourglass/core';
import { expect, test } from 'vitest';
import { collect, listParts } from '../collections.ts';
import { toyPlace } from './toy.ts';

async function dataset(
  store: Awaited<ReturnType<typeof toyPlace>>['store'],
  keys: string[],
  column = 'x',
): Promise<ArtifactRef> {
  const parts = await Promise.all(
    keys.map(async (key) => ({ key, rows: 2, ...(await store.artifacts.putBlob(new TextEncoder().encode(key))) })),
  );
  const meta = { columns: [{ name: column, type: 'float', physical: 'DOUBLE' }] };
  return { ...(await store.artifacts.put({ kind: 'dataset', parts, meta })), schemaDigest: 'of the columns' };
}

test('parts come in order, page by page, each a dataset', async () => {
  const { store } = await toyPlace();
  const whole = await dataset(store, ['a', 'b', 'c']);
  const page = await listParts(store.artifacts, whole, 1, 5);
  expect(page.total).toBe(3);
  expect(page.items.map(({ key }) => key)).toEqual(['b', 'c']);
  expect(page.items[0]!.ref).toMatchObject({ kind: 'dataset', rows: 2, schemaDigest: 'of the columns' });
  const again = await collect(store.artifacts, 'dataset', (await listParts(store.artifacts, whole, 0, 3)).items, []);
  expect(again).toEqual(whole);
});

test('items of several parts keep them apart, and missing keys are said', async () => {
  const { store } = await toyPlace();
  const entries = [
    { key: 'north', ref: await dataset(store, ['a', 'b']) },
    { key: 'south', ref: await dataset(store, ['a']) },
  ];
  const ref = await collect(store.artifacts, 'dataset', entries, ['east']);
  expect(ref).toMatchObject({ rows: 6, missing: ['east'] });
  expect((await store.artifacts.get(ref)).parts.map(({ key }) => key)).toEqual(['north/a', 'north/b', 'south']);
});

test('items with other columns are refused by name', async () => {
  const { store } = await toyPlace();
  const entries = [
    { key: 'north', ref: await dataset(store, ['a']) },
    { key: 'south', ref: await dataset(store, ['a'], 'y') },
  ];
  await expect(collect(store.artifacts, 'dataset', entries, [])).rejects.toThrow(/Item "south".*y DOUBLE/);
});

test('metrics become a record by key', async () => {
  const { store } = await toyPlace();
  const put = (value: unknown) => store.artifacts.put({ kind: 'metrics', parts: [], meta: { value } });
  const page = await collect(store.artifacts, 'metrics', [{ key: 'a', ref: await put({ rmse: 1 }) }], []);
  const all = await collect(store.artifacts, 'metrics', [{ ref: page }, { key: 'b', ref: await put({ rmse: 2 }) }], []);
  expect((await store.artifacts.get(all)).meta['value']).toEqual({ a: { rmse: 1 }, b: { rmse: 2 } });
});

import { writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheKey } from '../cache-key.ts';
import { recordKey } from '../cache-records.ts';
import { openStore } from '../open-store.ts';
import { parts, record } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const ref = (digit: string) => ({ kind: 'model' as const, digest: digit.repeat(64), bytes: 1 });

test('a key depends on every part and not on their order', () => {
  const key = cacheKey(parts());
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(cacheKey({ ...parts(), options: { latentDim: 16, epochs: 200 } })).toBe(key);
  const changed = [
    { stage: 'x/y' },
    { version: '2' },
    { options: { epochs: 201, latentDim: 16 } },
    { inputs: {} },
    { sources: { uri: 'b' } },
    { seed: 8 },
    { engine: 'cpu' },
    { engine: undefined },
    { libraries: {} },
  ].map((change) => cacheKey(parts(change)));
  expect(new Set([key, ...changed]).size).toBe(changed.length + 1);
});

test('the loser of two writers takes the winner’s record', async () => {
  const { cache } = await openStore(tempFolder());
  const first = record({}, { model: ref('1') });
  const second = record({}, { model: ref('2') });
  expect(await cache.put(first)).toEqual(first);
  expect(await cache.put(second)).toEqual(first);
  expect(await cache.get(first.key)).toEqual(first);
  expect(await cache.put(second, { replace: true })).toEqual(second);
  expect(await cache.get(first.key)).toEqual(second);
});

test.each([['{"key":"tru'], ['{}'], ['null'], ['{"key":"other","result":{"outputs":{}}}']])(
  'a record damaged to %s is as good as absent, and is replaced',
  async (text) => {
    const store = await openStore(tempFolder());
    const good = record({}, { model: ref('1') });
    await store.cache.put(good);
    const path = join(store.location, recordKey(good.key));
    chmodSync(path, 0o644);
    writeFileSync(path, text);
    expect(await store.cache.get(good.key)).toBeUndefined();
    expect(await store.cache.put(good)).toEqual(good);
    expect(await store.cache.get(good.key)).toEqual(good);
  },
);

test('remembers the parts last used at a place', async () => {
  const { cache } = await openStore(tempFolder());
  expect(await cache.last('wdbc', 'train')).toBeUndefined();
  await cache.remember('wdbc', 'train', parts());
  await cache.remember('wdbc', 'train', parts({ seed: 8 }));
  await cache.remember('wdbc', 'regions[north/../x].train', parts({ seed: 9 }));
  expect(await cache.last('wdbc', 'train')).toEqual(parts({ seed: 8 }));
  expect((await cache.last('wdbc', 'regions[north/../x].train'))?.seed).toBe(9);
});

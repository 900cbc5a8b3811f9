import { chmodSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoint-format.ts';
import { openStore } from '../open-store.ts';
import type { Checkpoint, Store } from '../types.ts';
import { tempFolder } from './support/temp-folder.ts';

const KEY = 'c'.repeat(64);
const at = (step: number): Checkpoint => ({ arrays: { w: Float32Array.of(step, 0.5) }, meta: { step } });
const open = async (): Promise<{ store: Store; warnings: string[] }> => {
  const warnings: string[] = [];
  return { store: await openStore(tempFolder(), { warn: (message) => warnings.push(message) }), warnings };
};
const slotFiles = (store: Store): string[] =>
  readdirSync(join(store.location, 'checkpoints', KEY), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ckpt'))
    .map((name) => join(store.location, 'checkpoints', KEY, name));

test('arrays and numbers come back bit for bit, also those JSON loses', () => {
  const checkpoint: Checkpoint = {
    arrays: {
      f: Float32Array.of(NaN, -0, Infinity, 1e-45),
      i: Int32Array.of(-1, 2 ** 31 - 1, 7),
      d: Float64Array.of(Math.PI),
      empty: new Float32Array(),
      view: new Float32Array(new Float32Array([9, 1, 2, 3]).buffer, 4, 2),
    },
    meta: { best: Infinity, loss: NaN, zero: -0, nested: [{ low: -Infinity }], text: 'ü', none: null },
  };
  // At an odd offset of a larger buffer, as a read may give it.
  const encoded = encodeCheckpoint(checkpoint);
  const shifted = new Uint8Array(encoded.byteLength + 3).subarray(3);
  shifted.set(encoded);
  const decoded = decodeCheckpoint(shifted)!;
  expect(decoded.meta).toEqual(checkpoint.meta);
  expect(Object.is((decoded.meta as { zero: number }).zero, -0)).toBe(true);
  for (const [name, array] of Object.entries(checkpoint.arrays)) {
    expect(decoded.arrays[name]!.constructor).toBe(array.constructor);
    expect(Buffer.from(decoded.arrays[name]!.slice().buffer)).toEqual(Buffer.from(array.slice().buffer));
  }
});

test('the last checkpoint saved is loaded; after remove there is none', async () => {
  const { store } = await open();
  const slot = store.checkpoint(KEY, 1);
  expect(await slot.load()).toBeUndefined();
  await slot.save(at(1));
  await slot.save(at(2));
  expect(await store.checkpoint(KEY, 2).load()).toEqual(at(2));
  await slot.remove();
  expect(await store.checkpoint(KEY, 3).load()).toBeUndefined();
});

test('once a later attempt has begun, an earlier one is refused and changes nothing', async () => {
  const { store } = await open();
  const zombie = store.checkpoint(KEY, 1, 'run');
  await zombie.save(at(1));
  const successor = store.checkpoint(KEY, 2, 'run');
  expect(await successor.load()).toEqual(at(1));
  await expect(zombie.save(at(99))).rejects.toMatchObject({ code: 'CANCELLED' });
  await successor.save(at(2));
  await expect(zombie.save(at(99))).rejects.toThrow('superseded by attempt 2');
  expect(await store.checkpoint(KEY, 3, 'run').load()).toEqual(at(2));
  expect(slotFiles(store)).toHaveLength(1);
});

test('two runs that train the same do not refuse each other', async () => {
  const { store } = await open();
  const first = store.checkpoint(KEY, 5, 'run a');
  const second = store.checkpoint(KEY, 1, 'run b');
  await first.save(at(1));
  expect(await second.load()).toEqual(at(1));
  await second.save(at(2));
  await first.save(at(3));
  // The clock of the filesystem ticks every few milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await second.save(at(4));
  expect((await store.checkpoint(KEY, 1, 'run c').load())?.meta).toEqual({ step: 4 });
});

test.each([
  ['cut short', (path: string) => truncateSync(path, 100)],
  ['emptied', (path: string) => truncateSync(path, 0)],
  [
    'changed in one bit',
    (path: string) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 9]! ^= 1;
      writeFileSync(path, bytes);
    },
  ],
])('a checkpoint %s is passed over with a warning, for an older sound one', async (_how, damage) => {
  const { store, warnings } = await open();
  await store.checkpoint(KEY, 1, 'older').save(at(1));
  for (const path of slotFiles(store)) utimesSync(path, 1_600_000_000, 1_600_000_000);
  const [older] = slotFiles(store);
  await store.checkpoint(KEY, 1, 'newer').save(at(2));
  const newer = slotFiles(store).find((path) => path !== older)!;
  chmodSync(newer, 0o644);
  damage(newer);
  expect(await store.checkpoint(KEY, 2).load()).toEqual(at(1));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('damaged');
});

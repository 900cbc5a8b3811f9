import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { folderDriver } from '../folder-driver.ts';
import { openStore, storeOn } from '../open-store.ts';
import { writeError } from '../storage-error.ts';
import type { Store } from '../types.ts';
import { verifyStore } from '../verify-store.ts';
import { bytes, putModel, record } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const mounted: string[] = [];

/** A filesystem of 1 MB, where this process may mount one. */
function smallDisk(): string | undefined {
  const folder = tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of mounted) execFileSync('umount', [folder]);
});

const tempFilesOf = (store: Store): string[] => readdirSync(join(store.location, 'tmp'));

/** A folder whose writes fail at the moment the finished file is to be moved into place. */
async function failing(errno: string, message: string): Promise<Store> {
  const driver = folderDriver(tempFolder());
  return storeOn({
    ...driver,
    putFile: async () => Promise.reject(Object.assign(new Error(`${errno}: ${message}`), { code: errno })),
  });
}

describe('a full disk', () => {
  test('DISK_FULL names the place, the room and the remedy; nothing is left behind', async () => {
    const store = await failing('ENOSPC', 'no space left on device');
    const put = store.artifacts.putBlob(bytes('x'));
    await expect(put).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(store.artifacts.putBlob(bytes('x'))).rejects.toThrow(
      /No room to write .* \([\d.]+ MB of [\d.]+ MB free\).*hourglass artifacts gc/,
    );
    expect(tempFilesOf(store)).toEqual([]);
  });

  test('a disk that really fills up: what was there stays sound, and work goes on once there is room', async () => {
    const disk = smallDisk();
    if (disk === undefined) {
      // Not allowed to mount: the error's way from errno to message is what remains to be shown.
      const error = writeError(Object.assign(new Error(), { code: 'ENOSPC' }), '/x/y', '/x');
      expect(error.code).toBe('DISK_FULL');
      return;
    }
    const store = await openStore(join(disk, 'store'));
    const { ref } = await putModel(store, 'small');
    await store.cache.put(record({}, { model: ref }));
    const big = randomBytes(2 << 20);
    async function* stream() {
      for (let i = 0; i < 20; i++) yield randomBytes(100_000);
    }
    for (const write of [
      () => store.artifacts.putBlob(big),
      () => store.artifacts.putBlob(stream()),
      () => store.checkpoint('a'.repeat(64), 1).save({ arrays: { w: new Float32Array(1 << 20) }, meta: {} }),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(tempFilesOf(store)).toEqual([]);
    }
    expect((await verifyStore(store)).problems).toEqual([]);
    await putModel(store, 'there is room for this');
  });
});

describe('a store that cannot be written', () => {
  test('STORE_UNWRITABLE names the place, the reason and the remedy', async () => {
    const store = await failing('EROFS', 'read-only file system');
    await expect(store.artifacts.putBlob(bytes('x'))).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    await expect(store.artifacts.putBlob(bytes('x'))).rejects.toThrow(/the filesystem is read-only at .*--store/);
  });

  test('can still be read: results, artifacts, names; every write is refused by name', async () => {
    const disk = smallDisk();
    const folder = join(disk ?? tempFolder(), 'store');
    const writable = await openStore(folder);
    const { ref, blob } = await putModel(writable, 'kept');
    const kept = await writable.cache.put(record({}, { model: ref }));
    await writable.names.publish('x', ref, { run: 'r' });
    const isRoot = process.getuid?.() === 0;
    if (disk !== undefined) execFileSync('mount', ['-o', 'remount,ro', disk]);
    else
      for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
        chmodSync(join(folder, name), 0o555);
    const store = await openStore(folder);
    expect(await store.cache.get(kept.key)).toEqual(kept);
    expect(await store.artifacts.verify(ref, { deep: true })).toEqual({ ok: true });
    expect(await store.artifacts.localPath(blob)).toContain(blob);
    expect((await store.names.resolve('x')).version).toBe(1);
    // Permissions do not stop the superuser, so without a mount only the readings above can be shown for it.
    if (disk === undefined && isRoot) return;
    for (const write of [
      () => store.artifacts.putBlob(bytes('x')),
      () => store.artifacts.tempPath(),
      () => store.artifacts.put({ kind: 'metrics', parts: [], meta: {} }),
      () => store.cache.put(record({ seed: 9 }, { model: ref })),
      () => store.names.publish('y', ref, { run: 'r' }),
      () => store.checkpoint('a'.repeat(64), 1).save({ arrays: {}, meta: {} }),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
  });
});

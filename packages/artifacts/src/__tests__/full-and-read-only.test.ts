import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { folderDriver } from '../folder-driver.ts';
import { unwritable } from '../deliver-file.ts';
import { openStore, storeOn } from '../open-store.ts';
import { isDiskFull } from '../storage-error.ts';
import type { Store } from '../types.ts';
import { verifyStore } from '../verify-store.ts';
import { bytes, putModel, record } from './support/samples.ts';
import { tempFolder } from './support/temp-folder.ts';

const mounted: string[] = [];

/** A filesystem of 1 MB. */
function smallDisk(): string {
  const folder = tempFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
  mounted.push(folder);
  return folder;
}

/** Whether this process may mount one. What must be shown everywhere is shown by limits that every process may set. */
const mayMount = (() => {
  try {
    execFileSync('umount', [smallDisk()]);
    mounted.pop();
    return true;
  } catch {
    return false;
  }
})();

/** Writes in a process of its own, of which the kernel refuses files above `kilobytes`, or which is not the folder's owner. */
function refusedWrites(
  store: string,
  limit: { kilobytes?: number; user?: number; read?: string },
): Record<string, string> {
  const script = fileURLToPath(new URL('./support/refused-writes.ts', import.meta.url));
  const node = `exec "${process.execPath}" --import tsx --conditions=@hourglass/source "${script}" "${store}" ${limit.user ?? ''}`;
  const command = limit.kilobytes === undefined ? node : `ulimit -f ${limit.kilobytes} && ${node}`;
  const output = execFileSync('bash', ['-c', command], {
    encoding: 'utf8',
    env: { ...process.env, TSX_DISABLE_CACHE: '1', ...(limit.read ? { READ: limit.read } : {}) },
  });
  return JSON.parse(output.trimEnd().split('\n').at(-1)!) as Record<string, string>;
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

  test.each([
    ['ENOSPC: no space left on device, write', true],
    ['IO Error: Could not write file "x.parquet": File too large', true],
    ['IO Error: Could not write file "x.parquet": Disk quota exceeded', true],
    ['Quota exceeded for requests a minute', false],
    ['File sizes too large to compare', false],
    ['ENOENT: no such file or directory', false],
  ])('is told from other failures by the words of the system: %s', (message, full) => {
    expect(isDiskFull(new Error(message))).toBe(full);
    expect(unwritable(new Error(message), 'out.parquet').code).toBe(full ? 'DISK_FULL' : 'SINK_UNWRITABLE');
  });

  test('writes that the kernel refuses: DISK_FULL, what was there stays sound, and smaller ones still succeed', async () => {
    const folder = join(tempFolder(), 'store');
    const before = await openStore(folder);
    const { ref } = await putModel(before, 'small');
    const found = refusedWrites(folder, { kilobytes: 512 });
    for (const write of ['blob', 'stream', 'checkpoint'])
      expect(found[write], write).toMatch(/^DISK_FULL No room to write .*Nothing was left half-written/);
    for (const write of ['small', 'record', 'name']) expect(found[write], write).toBe('written');
    const store = await openStore(folder);
    expect(tempFilesOf(store)).toEqual([]);
    expect((await verifyStore(store)).problems).toEqual([]);
    expect(await store.artifacts.verify(ref, { deep: true })).toEqual({ ok: true });
  });

  test.skipIf(!mayMount)(
    'a disk that fills up: what was there stays sound, and work goes on once there is room',
    async () => {
      const disk = smallDisk();
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
    },
  );
});

describe('a store that cannot be written', () => {
  test('STORE_UNWRITABLE names the place, the reason and the remedy', async () => {
    const store = await failing('EROFS', 'read-only file system');
    await expect(store.artifacts.putBlob(bytes('x'))).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
    await expect(store.artifacts.putBlob(bytes('x'))).rejects.toThrow(/the filesystem is read-only at .*--store/);
  });

  test('can still be read: results, artifacts, names; every write is refused by name', async () => {
    const outer = tempFolder();
    const folder = join(outer, 'store');
    const writable = await openStore(folder);
    const { ref, blob } = await putModel(writable, 'kept');
    const kept = await writable.cache.put(record({}, { model: ref }));
    await writable.names.publish('x', ref, { run: 'r' });
    chmodSync(outer, 0o755);
    for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
      chmodSync(join(folder, name), 0o555);
    const store = await openStore(folder);
    expect(await store.cache.get(kept.key)).toEqual(kept);
    expect(await store.artifacts.verify(ref, { deep: true })).toEqual({ ok: true });
    expect(await store.artifacts.localPath(blob)).toContain(blob);
    expect((await store.names.resolve('x')).version).toBe(1);
    // Permissions do not stop the superuser: the writes are those of another user.
    const { read, ...writes } = refusedWrites(folder, { user: 65534, read: blob });
    expect(read).toBe('kept');
    for (const [write, found] of Object.entries(writes))
      expect(found, write).toMatch(/^STORE_UNWRITABLE .*permission denied.*--store/);
    for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
      chmodSync(join(folder, name), 0o755);
  });

  test.skipIf(!mayMount)('on a filesystem that is mounted read-only as well', async () => {
    const disk = smallDisk();
    await putModel(await openStore(join(disk, 'store')), 'kept');
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const store = await openStore(join(disk, 'store'));
    for (const write of [
      () => store.artifacts.putBlob(bytes('x')),
      () => store.artifacts.tempPath(),
      () => store.cache.put(record({ seed: 9 })),
      () => store.checkpoint('a'.repeat(64), 1).save({ arrays: {}, meta: {} }),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' });
  });
});

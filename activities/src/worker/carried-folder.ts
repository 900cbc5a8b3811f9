import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, type Store } from '@hourglass/artifacts';
import type { CarriedSources } from '../carried-sources.ts';

/** Folders not used for so long are removed. */
const KEPT_MS = 7 * 86_400_000;

/**
 * The folder of a pipeline whose sources were carried in the store: laid out on this machine as on the submitter's, once.
 * @returns where relative sources start
 */
export async function carriedFolder(
  store: Store,
  digest: string,
  folder = join(cacheFolder(), 'carried'),
): Promise<string> {
  const manifest = JSON.parse(new TextDecoder().decode(await store.artifacts.readBlob(digest))) as CarriedSources;
  const target = join(folder, digest.slice(0, 32));
  const now = new Date();
  if (await isThere(target)) await utimes(target, now, now).catch(() => undefined);
  else {
    const temporary = `${target}.${randomBytes(4).toString('hex')}`;
    for (const { path, digest: blob } of manifest.files) {
      const file = join(temporary, ...path.split('/'));
      await mkdir(dirname(file), { recursive: true });
      const local = await store.artifacts.localPath(blob);
      // Another filesystem than the store's copies: a copy of its own.
      await link(local, file).catch(() => copyFile(local, file));
    }
    await mkdir(join(temporary, ...manifest.base.split('/')), { recursive: true });
    await rename(temporary, target).catch(async (error: unknown) => {
      await rm(temporary, { recursive: true, force: true });
      // Another process of this machine was quicker.
      if (!(await isThere(target))) throw error;
    });
    await removeOld(folder);
  }
  return join(target, ...manifest.base.split('/'));
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > KEPT_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

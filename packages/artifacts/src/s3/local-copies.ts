import { chmod, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAlive, processIdentity } from '../process-identity.ts';

/** A file handed out is left alone while the process it was given to lives, up to this long. */
const IN_USE_MS = 24 * 3600_000;

/**
 * Copies on this machine of what lies elsewhere, each under the digest of its bytes, so that every store and source shares
 * them. Those used longest ago go first once all take more than the limit; those in use by a living process stay.
 */
export interface LocalCopies {
  /** The copy, if there is one; marks it as in use. */
  find(digest: string): Promise<string | undefined>;
  /** Moves a finished file in; `undefined` is never returned. Marks it as in use. */
  keep(digest: string, path: string): Promise<string>;
  /** Removes copies until the limit is kept. @returns bytes removed */
  trim(): Promise<number>;
}

export function localCopies(folder: string, limitBytes: number): LocalCopies {
  const pathOf = (digest: string): string => join(folder, 'copies', digest.slice(0, 2), digest);
  const markOf = (digest: string): string => join(folder, 'used', digest.slice(0, 2), `${digest}.${processIdentity}`);
  let grown = Infinity;

  async function mark(digest: string): Promise<void> {
    const path = markOf(digest);
    const now = new Date();
    await utimes(path, now, now).catch(async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, '');
    });
  }

  /** Last use of each copy by a mark; marks that no longer protect are removed with what they stand for. */
  async function uses(): Promise<Map<string, { at: number; held: boolean; marks: string[] }>> {
    const found = new Map<string, { at: number; held: boolean; marks: string[] }>();
    for (const { path, name } of await files(join(folder, 'used'))) {
      const [digest, owner] = name.split('.') as [string, string];
      const at = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
      const entry = found.get(digest) ?? { at: 0, held: false, marks: [] };
      entry.at = Math.max(entry.at, at);
      entry.held ||= isAlive(owner) !== false && Date.now() - at < IN_USE_MS;
      entry.marks.push(path);
      found.set(digest, entry);
    }
    return found;
  }

  async function trim(): Promise<number> {
    grown = 0;
    const used = await uses();
    const copies: { digest: string; path: string; bytes: number; at: number; held: boolean }[] = [];
    for (const { path, name } of await files(join(folder, 'copies'))) {
      const info = await stat(path).catch(() => undefined);
      const use = used.get(name);
      if (info)
        copies.push({ digest: name, path, bytes: info.size, at: use?.at ?? info.mtimeMs, held: use?.held ?? false });
    }
    let total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
    let removed = 0;
    for (const copy of copies.sort((a, b) => a.at - b.at)) {
      if (total <= limitBytes) break;
      if (copy.held) continue;
      await rm(copy.path, { force: true });
      for (const path of used.get(copy.digest)?.marks ?? []) await rm(path, { force: true });
      total -= copy.bytes;
      removed += copy.bytes;
    }
    return removed;
  }

  return {
    async find(digest) {
      const path = pathOf(digest);
      // Marked before it is looked for, so that no other process removes it in between.
      await mark(digest);
      return (await stat(path).catch(() => undefined))?.isFile() ? path : undefined;
    },

    async keep(digest, path) {
      const target = pathOf(digest);
      await mark(digest);
      await chmod(path, 0o444);
      const { size } = await stat(path);
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target);
      grown += size;
      if (grown > limitBytes / 10) await trim();
      return target;
    },

    trim,
  };
}

/** Files two levels down. */
async function files(folder: string): Promise<{ path: string; name: string }[]> {
  const found: { path: string; name: string }[] = [];
  for (const shard of await readdir(folder).catch(() => []))
    for (const name of await readdir(join(folder, shard)).catch(() => []))
      found.push({ path: join(folder, shard, name), name });
  return found;
}

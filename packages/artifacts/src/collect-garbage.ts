import { join } from 'node:path';
import { noteKey } from './artifact-store.ts';
import type { ObjectInfo } from './driver.ts';
import { outputsOf, takeInventory, type Inventory } from './inventory.ts';
import { stamps } from './stamps.ts';
import { tempFiles } from './temp-files.ts';
import type { Store } from './types.ts';
import { stampKey } from './verified-blobs.ts';

const DAY_MS = 24 * 3600_000;

export interface GarbageOptions {
  /** Forget results (and their artifacts) that nobody asked for within so many days. @default results are kept for ever */
  keepDays?: number;
  /** Of each name keep this many newest versions; those with an alias are always kept. @default all */
  keepVersions?: number;
  /** Digests of artifacts that runs still refer to. */
  roots?: Iterable<string>;
  /** Nothing written within this time is deleted: a process that lives may be about to refer to it. @default one day */
  graceMs?: number;
  /** Say what would be deleted, delete nothing. @default false */
  dryRun?: boolean;
}

export type GarbageKind =
  'result' | 'explanation' | 'artifact' | 'note' | 'blob' | 'checkpoint' | 'temporary' | 'damaged';

export interface GarbageReport {
  dryRun: boolean;
  deleted: { kind: GarbageKind; key: string; bytes: number }[];
  /** Sum over `deleted`. */
  bytes: number;
  kept: { artifacts: number; blobs: number; bytes: number };
}

/**
 * Deletes what nothing refers to: artifacts that no result, name or run holds, blobs that no artifact lists, checkpoints and
 * temporary files left behind. References go before what they refer to, so a kill in between leaves only more garbage.
 */
export async function collectGarbage(store: Store, options: GarbageOptions = {}): Promise<GarbageReport> {
  const { keepDays = Infinity, keepVersions = Infinity, roots = [], graceMs = DAY_MS, dryRun = false } = options;
  const { driver } = store;
  const start = Date.now();
  const isOld = (info: ObjectInfo, days = 0): boolean => start - info.modified > Math.max(graceMs, days * DAY_MS);
  const deleted: GarbageReport['deleted'] = [];
  async function remove(kind: GarbageKind, { key, bytes }: ObjectInfo): Promise<void> {
    if (!dryRun) await driver.delete(key);
    deleted.push({ kind, key, bytes });
  }

  const inventory = await takeInventory(store);
  const records = inventory.records.filter(({ lastUsed }) => start - lastUsed <= Math.max(graceMs, keepDays * DAY_MS));
  const live = new Set([
    ...roots,
    ...records.flatMap(({ record }) => outputsOf(record)),
    ...keptVersions(inventory, keepVersions),
  ]);
  const kept = new Set<string>();
  for (const [digest, { info }] of inventory.artifacts) if (live.has(digest) || !isOld(info)) kept.add(digest);

  for (const entry of inventory.records) if (!records.includes(entry)) await remove('result', entry.info);
  for (const info of inventory.last) if (isOld(info, keepDays)) await remove('explanation', info);
  for (const info of inventory.damaged)
    if (isOld(info) && !info.key.startsWith('names/')) await remove('damaged', info);
  for (const [digest, { info }] of inventory.artifacts)
    if (!kept.has(digest)) {
      await remove('artifact', info);
      const note = await driver.stat(noteKey(digest));
      if (note !== undefined) await remove('note', note);
    }

  const listed = new Set<string>();
  const list = ({ artifacts }: Inventory, only: (digest: string) => boolean): void => {
    for (const [digest, { manifest }] of artifacts)
      if (only(digest)) for (const part of manifest.parts) listed.add(part.digest);
  };
  list(inventory, (digest) => kept.has(digest));
  const unlisted: ObjectInfo[] = [];
  let bytes = 0;
  let blobs = 0;
  for await (const info of driver.list('blobs')) {
    if (!listed.has(digestIn(info)) && isOld(info)) unlisted.push(info);
    else {
      blobs++;
      bytes += info.bytes;
    }
  }
  // Another process may have listed an old blob anew while this one was counting.
  if (unlisted.length > 0) list(await takeInventory(store), (digest) => !inventory.artifacts.has(digest));
  const looked = stamps(join(driver.localFolder, 'stamps'));
  for (const info of unlisted) {
    const digest = digestIn(info);
    if (listed.has(digest)) {
      blobs++;
      bytes += info.bytes;
      continue;
    }
    await remove('blob', info);
    if (!dryRun) await looked.remove(stampKey(digest));
  }

  for await (const info of driver.list('checkpoints'))
    if (isOld(info, Number.isFinite(keepDays) ? keepDays : 7)) await remove('checkpoint', info);
  if (!dryRun)
    for (const path of await tempFiles(join(driver.localFolder, 'tmp')).sweep())
      deleted.push({ kind: 'temporary', key: path, bytes: 0 });

  return {
    dryRun,
    deleted,
    bytes: deleted.reduce((total, entry) => total + entry.bytes, 0),
    kept: { artifacts: kept.size, blobs, bytes },
  };
}

const digestIn = ({ key }: ObjectInfo): string => key.slice(key.lastIndexOf('/') + 1);

function keptVersions({ versions }: Inventory, keep: number): string[] {
  const newest = new Map<string, number>();
  for (const { version } of versions)
    newest.set(version.name, Math.max(newest.get(version.name) ?? 0, version.version));
  return versions
    .filter(
      ({ version, aliases }) => aliases.length > 0 || version.version > newest.get(version.name)! - Math.max(1, keep),
    )
    .map(({ version }) => version.ref.digest);
}

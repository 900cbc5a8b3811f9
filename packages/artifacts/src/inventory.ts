import type { ArtifactManifest } from '@hourglass/core';
import { cacheKey } from './cache-key.ts';
import type { LastParts } from './cache-records.ts';
import type { ObjectInfo } from './driver.ts';
import { hashBytes } from './hash-file.ts';
import { mapLimited } from './map-limited.ts';
import type { CacheRecord, NameAlias, NameVersion, Store } from './types.ts';

/** A cache record and where it was last asked for. */
export interface RecordEntry {
  info: ObjectInfo;
  record: CacheRecord;
  /** `pipeline › path` of the places that last asked for it. */
  places: string[];
  /** Milliseconds since the epoch: last written or asked for. */
  lastUsed: number;
}

/** Everything that refers to something in a store, read once. Damaged entries are left out of it and listed. */
export interface Inventory {
  artifacts: Map<string, { info: ObjectInfo; manifest: ArtifactManifest }>;
  records: RecordEntry[];
  last: ObjectInfo[];
  versions: { version: NameVersion; aliases: string[] }[];
  damaged: ObjectInfo[];
}

export async function takeInventory(store: Store): Promise<Inventory> {
  const { driver } = store;
  const damaged: ObjectInfo[] = [];

  /** Parses every object of a folder; `check` gives undefined for what is not as it was written. */
  async function readAll<T>(folder: string, check: (bytes: Uint8Array, info: ObjectInfo) => T | undefined) {
    const found: { info: ObjectInfo; value: T }[] = [];
    const infos: ObjectInfo[] = [];
    for await (const info of driver.list(folder)) infos.push(info);
    infos.sort((a, b) => (a.key < b.key ? -1 : 1));
    await mapLimited(infos, 16, async (info) => {
      const bytes = await driver.read(info.key);
      if (bytes === undefined) return;
      let value: T | undefined;
      try {
        value = check(bytes, info);
      } catch {
        value = undefined;
      }
      if (value === undefined) damaged.push(info);
      else found.push({ info, value });
    });
    return found.sort((a, b) => (a.info.key < b.info.key ? -1 : 1));
  }
  const parse = <T>(bytes: Uint8Array): T => JSON.parse(new TextDecoder().decode(bytes)) as T;
  const nameOf = (info: ObjectInfo): string => info.key.slice(info.key.lastIndexOf('/') + 1).replace('.json', '');

  const manifests = await readAll('artifacts', (bytes, info) =>
    hashBytes(bytes) === nameOf(info) ? parse<ArtifactManifest>(bytes) : undefined,
  );
  const last = await readAll('last', (bytes) => {
    const value = parse<LastParts>(bytes);
    return { ...value, key: cacheKey(value.parts) };
  });
  const asked = new Map<string, { places: string[]; at: number }>();
  for (const { info, value } of last) {
    const entry = asked.get(value.key) ?? { places: [], at: 0 };
    entry.places.push(`${value.pipeline} › ${value.path}`);
    entry.at = Math.max(entry.at, info.modified);
    asked.set(value.key, entry);
  }
  const records = await readAll('cache', (bytes, info) => {
    const record = parse<CacheRecord>(bytes);
    return record.key === nameOf(info) && typeof record.result.outputs === 'object' ? record : undefined;
  });

  const entries = await readAll('names', (bytes, { key }) => {
    const [, name, kind] = key.split('/');
    const value = parse<NameVersion & NameAlias>(bytes);
    return Number.isInteger(value.version) ? { name: name!, isVersion: kind === 'versions', value } : undefined;
  });
  // In order of key, so that of the settings of one alias the last stands.
  const aliases = new Map(
    entries
      .filter(({ value }) => !value.isVersion)
      .map(({ value: { name, value } }) => [`${name}@${value.alias}`, value.version]),
  );
  const versions = entries
    .filter(({ value }) => value.isVersion)
    .map(({ value: { name, value } }) => ({
      version: value as NameVersion,
      aliases: [...aliases]
        .filter(([key, n]) => n === value.version && key.startsWith(`${name}@`))
        .map(([key]) => key.slice(name.length + 1)),
    }));

  return {
    artifacts: new Map(manifests.map(({ info, value }) => [nameOf(info), { info, manifest: value }])),
    records: records.map(({ info, value: record }) => ({
      info,
      record,
      places: asked.get(record.key)?.places ?? [],
      lastUsed: Math.max(info.modified, asked.get(record.key)?.at ?? 0),
    })),
    last: last.map(({ info }) => info),
    versions,
    damaged,
  };
}

/** Digests of the artifacts a record's outputs name. */
export const outputsOf = ({ result }: CacheRecord): string[] => Object.values(result.outputs).map((ref) => ref.digest);

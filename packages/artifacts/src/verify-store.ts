import { join } from 'node:path';
import { manifestKey } from './artifact-store.ts';
import { outputsOf, takeInventory } from './inventory.ts';
import { mapLimited } from './map-limited.ts';
import { stamps } from './stamps.ts';
import type { Store } from './types.ts';
import { blobKey, verifiedBlobs } from './verified-blobs.ts';

/** One thing wrong in a store, and what can no longer be used for it. */
export interface StoreProblem {
  /** Path within the store. */
  key: string;
  problem: 'missing' | 'corrupt';
  /** Artifacts that cannot be read whole. */
  artifacts: string[];
  /** Stages that will be computed anew: `pipeline › path`, or the stage's id. */
  records: string[];
  /** Published versions that cannot be used: `name@version`. */
  names: string[];
}

export interface StoreReport {
  artifacts: number;
  blobs: number;
  bytes: number;
  records: number;
  problems: StoreProblem[];
}

/**
 * Looks at everything a store holds. Unused bytes are no problem (collection removes them); missing or changed ones are.
 *
 * @param options.deep hash every blob again, whatever the stamps say @default true
 */
export async function verifyStore(
  store: Store,
  options: { deep?: boolean; onProgress?: (done: number, total: number) => void } = {},
): Promise<StoreReport> {
  const { deep = true, onProgress } = options;
  const { artifacts, records, versions, damaged } = await takeInventory(store);
  /** Problem and the artifacts it breaks, by key. */
  const broken = new Map<string, { problem: 'missing' | 'corrupt'; artifacts: Set<string> }>();
  const fail = (key: string, problem: 'missing' | 'corrupt', users: Iterable<string>): void => {
    const entry = broken.get(key) ?? { problem, artifacts: new Set() };
    for (const user of users) entry.artifacts.add(user);
    broken.set(key, entry);
  };

  for (const { key } of damaged) {
    const digest = /^artifacts\/..\/([0-9a-f]{64})\.json$/.exec(key)?.[1];
    fail(key, 'corrupt', digest === undefined ? [] : [digest]);
  }
  for (const digest of [
    ...records.flatMap(({ record }) => outputsOf(record)),
    ...versions.map(({ version }) => version.ref.digest),
  ]) {
    const key = manifestKey(digest);
    if (!artifacts.has(digest) && !broken.has(key)) fail(key, 'missing', [digest]);
  }

  const users = new Map<string, { bytes: number; artifacts: string[] }>();
  for (const [digest, { manifest }] of artifacts)
    for (const part of manifest.parts) {
      const entry = users.get(part.digest) ?? { bytes: part.bytes, artifacts: [] };
      entry.artifacts.push(digest);
      users.set(part.digest, entry);
    }
  const blobs = verifiedBlobs(store.driver, stamps(join(store.driver.localFolder, 'stamps')));
  let done = 0;
  let bytes = 0;
  await mapLimited([...users], 4, async ([digest, user]) => {
    const problem = await blobs.problem(digest, { bytes: user.bytes, deep });
    if (problem !== undefined) fail(blobKey(digest), problem, user.artifacts);
    bytes += user.bytes;
    onProgress?.(++done, users.size);
  });

  return {
    artifacts: artifacts.size,
    blobs: users.size,
    bytes,
    records: records.length,
    problems: [...broken].map(([key, { problem, artifacts: hit }]) => ({
      key,
      problem,
      artifacts: [...hit],
      records: records
        .filter(({ record }) => outputsOf(record).some((digest) => hit.has(digest)))
        .flatMap(({ record, places }) => (places.length > 0 ? places : [record.parts.stage])),
      names: versions
        .filter(({ version }) => hit.has(version.ref.digest))
        .map(({ version }) => `${version.name}@${version.version}`),
    })),
  };
}

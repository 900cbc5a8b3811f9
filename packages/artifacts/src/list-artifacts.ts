import { HourglassError } from '@hourglass/core';
import type { ArtifactManifest, ArtifactRef } from '@hourglass/core';
import { artifactRef } from './artifact-ref.ts';
import { takeInventory, type Inventory } from './inventory.ts';
import type { Store } from './types.ts';
import { notFound } from './verified-blobs.ts';

/** One artifact as `artifacts ls` shows it. */
export interface ArtifactListing {
  ref: ArtifactRef;
  parts: number;
  /** ISO time the manifest was last written. */
  modified: string;
  /** `pipeline › path.output` of the records that give it; the stage's id where the place is no longer known. */
  producers: string[];
  /** `name@version` and `name@alias`. */
  names: string[];
}

/** One artifact as `artifacts show` prints it. */
export interface ArtifactDetails extends ArtifactListing {
  manifest: ArtifactManifest;
  /** Wall times and other facts beside it. */
  note?: Record<string, unknown>;
}

/** Every artifact of the store, newest first. */
export async function listArtifacts(store: Store): Promise<ArtifactListing[]> {
  return listings(await takeInventory(store)).sort((a, b) =>
    a.modified > b.modified ? -1 : a.modified < b.modified ? 1 : 0,
  );
}

/**
 * @param reference a digest, its first letters (at least 4) or a published name
 * @throws ARTIFACT_NOT_FOUND, NAME_NOT_FOUND; CALL_INVALID when several digests begin so
 */
export async function showArtifact(store: Store, reference: string): Promise<ArtifactDetails> {
  const inventory = await takeInventory(store);
  const digest = await digestFor(store, inventory, reference);
  // Through `get`, so that a damaged or missing manifest is said as such.
  const manifest = await store.artifacts.get({ digest });
  const note = await store.artifacts.annotation(digest);
  const found = listings(inventory).find(({ ref }) => ref.digest === digest);
  // Collected by another process since the inventory was taken.
  if (found === undefined) throw notFound(`Artifact ${digest}`, store.location);
  return { ...found, manifest, ...(note === undefined ? {} : { note }) };
}

async function digestFor(store: Store, inventory: Inventory, reference: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(reference)) return reference;
  if (/^[0-9a-f]{4,63}$/.test(reference)) {
    const matching = [...inventory.artifacts.keys()].filter((digest) => digest.startsWith(reference));
    if (matching.length === 1) return matching[0]!;
    if (matching.length > 1)
      throw new HourglassError(
        'CALL_INVALID',
        `${matching.length} artifacts begin with "${reference}": ${matching.slice(0, 5).join(', ')}. Give more of the digest.`,
      );
    if (!inventory.versions.some(({ version }) => version.name === reference))
      throw new HourglassError(
        'ARTIFACT_NOT_FOUND',
        `No artifact in the store ${store.location} begins with "${reference}". See \`hourglass artifacts ls\`.`,
      );
  }
  return (await store.names.resolve(reference)).ref.digest;
}

function listings({ artifacts, records, versions }: Inventory): ArtifactListing[] {
  const producers = new Map<string, string[]>();
  for (const { record, places } of records)
    for (const [output, { digest }] of Object.entries(record.result.outputs))
      for (const place of places.length > 0 ? places : [record.parts.stage])
        producers.set(digest, [...(producers.get(digest) ?? []), `${place}.${output}`]);
  const names = new Map<string, string[]>();
  for (const { version, aliases } of versions)
    for (const label of [version.version, ...aliases])
      names.set(version.ref.digest, [...(names.get(version.ref.digest) ?? []), `${version.name}@${label}`]);
  return [...artifacts].map(([digest, { manifest, info }]) => ({
    ref: artifactRef(manifest, digest, info.bytes),
    parts: manifest.parts.length,
    modified: new Date(info.modified).toISOString(),
    producers: producers.get(digest) ?? [],
    names: names.get(digest) ?? [],
  }));
}

import type { ArtifactStore } from '@hourglass/artifacts';
import {
  type ArtifactKind,
  type ArtifactManifest,
  type ArtifactRef,
  canonicalJson,
  type CollectEntry,
  HourglassError,
  type PartItem,
} from '@hourglass/core';
import { mapLimited } from './map-limited.ts';

const AT_ONCE = 16;

/** Parts of a dataset, each as a dataset of its own: what `forEach` goes through. */
export async function listParts(
  artifacts: ArtifactStore,
  ref: ArtifactRef,
  offset: number,
  limit: number,
): Promise<{ total: number; items: PartItem[] }> {
  const { parts, meta } = await artifacts.get(ref, 'dataset');
  const own = { ...meta };
  delete own['missing'];
  const items = await mapLimited(parts.slice(offset, offset + limit), AT_ONCE, async (part) => {
    const one = await artifacts.put({ kind: 'dataset', parts: [part], meta: own });
    return { key: part.key, ref: withSchema(one, ref) };
  });
  return { total: parts.length, items };
}

/** One artifact of many: datasets one after another, metrics as a record by key. @throws SCHEMA_MISMATCH */
export async function collect(
  artifacts: ArtifactStore,
  kind: ArtifactKind,
  entries: CollectEntry[],
  missing: string[],
): Promise<ArtifactRef> {
  const manifests = await mapLimited(entries, AT_ONCE, ({ ref }) => artifacts.get(ref, kind));
  if (kind === 'metrics') {
    const value: Record<string, unknown> = {};
    for (const [i, { key }] of entries.entries()) {
      const own = manifests[i]!.meta['value'];
      if (key === undefined) Object.assign(value, own);
      else value[key] = own;
    }
    return artifacts.put({ kind, parts: [], meta: { value } });
  }
  if (kind !== 'dataset')
    throw new HourglassError('INTERNAL', `Artifacts of kind ${kind} cannot be collected into one.`);
  const first = manifests[0]!.meta;
  const parts = entries.flatMap(({ key, ref }, i) => {
    const manifest = manifests[i]!;
    sameColumns(first, manifest, key ?? ref.digest.slice(0, 8));
    return manifest.parts.map((part) => ({ ...part, key: partKey(key, part.key, manifest.parts.length) }));
  });
  const meta = { ...first };
  delete meta['missing'];
  if (missing.length > 0) meta['missing'] = missing;
  return withSchema(await artifacts.put({ kind, parts, meta }), entries[0]!.ref);
}

function partKey(item: string | undefined, part: string, count: number): string {
  if (item === undefined) return part;
  return count === 1 ? item : `${item}/${part}`;
}

function sameColumns(first: Record<string, unknown>, { meta }: ArtifactManifest, key: string): void {
  const names = (of: Record<string, unknown>): string[] =>
    ((of['columns'] ?? []) as { name: string; physical: string }[]).map(({ name, physical }) => `${name} ${physical}`);
  const [expected, found] = [names(first), names(meta)];
  if (canonicalJson(expected) === canonicalJson(found)) return;
  const differing =
    found.find((column) => !expected.includes(column)) ?? expected.find((column) => !found.includes(column));
  throw new HourglassError(
    'SCHEMA_MISMATCH',
    `Item "${key}" gave other columns than the first item (${differing ?? 'their order differs'}), so that they do not make one dataset. Make every item give the same columns.`,
    { details: { item: key } },
  );
}

/** The schema digest is taken by those who know columns; it stays the same for a part and for the whole. */
function withSchema(ref: ArtifactRef, from: ArtifactRef): ArtifactRef {
  return from.schemaDigest === undefined ? ref : { ...ref, schemaDigest: from.schemaDigest };
}

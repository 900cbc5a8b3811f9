import { canonicalJson } from '@hourglass/core';
import type { ArtifactManifest, ArtifactPart, ArtifactRef } from '@hourglass/core';
import { hashBytes } from './hash-file.ts';

/** The few facts of a manifest that a ref carries along. */
export function artifactRef(
  { kind, parts, meta }: ArtifactManifest,
  digest: string,
  manifestBytes: number,
): ArtifactRef {
  const sum = (value: (part: ArtifactPart) => number): number => parts.reduce((total, part) => total + value(part), 0);
  const ref: ArtifactRef = { kind, digest, bytes: manifestBytes + sum((part) => part.bytes) };
  if (kind === 'dataset') {
    if (parts.every((part) => part.rows !== undefined)) ref.rows = sum((part) => part.rows ?? 0);
    if (Array.isArray(meta['columns'])) ref.schemaDigest = hashBytes(canonicalJson(meta['columns']));
    if (Array.isArray(meta['missing'])) ref.missing = meta['missing'] as string[];
  }
  if (kind === 'model' && typeof meta['application'] === 'string') ref.application = meta['application'];
  return ref;
}

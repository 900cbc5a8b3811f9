import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { MODEL_FORMAT } from './model.ts';
import { readSafetensors, writeSafetensors, type NamedArray } from './safetensors.ts';

const DESCRIPTION = 'model.json';
const WEIGHTS = 'weights.safetensors';

/** Stores the two files every model consists of. @param description canonical JSON */
export async function writeModelFiles(
  store: ArtifactStore,
  description: string,
  arrays: Record<string, NamedArray>,
  meta: Record<string, unknown>,
): Promise<ArtifactRef> {
  const json = await store.putBlob(new TextEncoder().encode(description));
  const weights = await store.putBlob(writeSafetensors(arrays));
  return store.put({
    kind: 'model',
    parts: [
      { key: DESCRIPTION, ...json },
      { key: WEIGHTS, ...weights },
    ],
    meta,
  });
}

/** The inverse. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, MODEL_INCOMPATIBLE when it is of a later format */
export async function readModelFiles(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<{ description: Record<string, unknown>; arrays: Record<string, NamedArray> }> {
  const { parts } = await store.get(ref, 'model');
  const digestOf = (key: string): string => {
    const part = parts.find((candidate) => candidate.key === key);
    if (!part)
      throw new HourglassError(
        'MODEL_INCOMPATIBLE',
        `model ${ref.digest.slice(0, 12)} has no ${key}; it holds ${parts.map((p) => p.key).join(', ')}`,
      );
    return part.digest;
  };
  const description = JSON.parse(new TextDecoder().decode(await store.readBlob(digestOf(DESCRIPTION)))) as Record<
    string,
    unknown
  >;
  if (description.format !== MODEL_FORMAT)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `model ${ref.digest.slice(0, 12)} has format ${String(description.format)}, this version of Hourglass reads ${MODEL_FORMAT}; train it again or update Hourglass`,
    );
  return { description, arrays: readSafetensors(await store.readBlob(digestOf(WEIGHTS))) };
}

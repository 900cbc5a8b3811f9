import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactPart, type ArtifactRef } from '@hourglass/core';
import { MODEL_FORMAT } from './model.ts';
import { readSafetensors, writeSafetensors, type NamedArray } from './safetensors.ts';

/** Keys of two files that belong together: JSON and arrays. */
export type FilePair = readonly [description: string, arrays: string];

const MODEL: FilePair = ['model.json', 'weights.safetensors'];

/** Stores a description and arrays as two parts of an artifact. @param description canonical JSON */
export async function putFilePair(
  store: ArtifactStore,
  [json, arrays]: FilePair,
  description: string,
  values: Record<string, NamedArray>,
): Promise<ArtifactPart[]> {
  return [
    { key: json, ...(await store.putBlob(new TextEncoder().encode(description))) },
    { key: arrays, ...(await store.putBlob(writeSafetensors(values))) },
  ];
}

/**
 * The inverse. Arrays are read on demand, so that the description of a file of a later format can be refused first.
 * @param missing the error of a part that is not there
 */
export async function readFilePair<T>(
  store: ArtifactStore,
  parts: readonly ArtifactPart[],
  pair: FilePair,
  missing: (key: string) => HourglassError,
): Promise<{ description: T; readArrays: () => Promise<Record<string, NamedArray>> }> {
  const [json, arrays] = pair.map((key) => {
    const part = parts.find((candidate) => candidate.key === key);
    if (!part) throw missing(key);
    return part.digest;
  });
  return {
    description: JSON.parse(new TextDecoder().decode(await store.readBlob(json!))) as T,
    readArrays: async () => readSafetensors(await store.readBlob(arrays!)),
  };
}

/** Stores the two files every model consists of. @param description canonical JSON */
export async function writeModelFiles(
  store: ArtifactStore,
  description: string,
  arrays: Record<string, NamedArray>,
  meta: Record<string, unknown>,
): Promise<ArtifactRef> {
  return store.put({ kind: 'model', parts: await putFilePair(store, MODEL, description, arrays), meta });
}

/** The inverse. @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, MODEL_INCOMPATIBLE when it is of a later format */
export async function readModelFiles(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<{ description: Record<string, unknown>; arrays: Record<string, NamedArray> }> {
  const { parts } = await store.get(ref, 'model');
  const { description, readArrays } = await readFilePair<Record<string, unknown>>(
    store,
    parts,
    MODEL,
    (key) =>
      new HourglassError(
        'MODEL_INCOMPATIBLE',
        `model ${ref.digest.slice(0, 12)} has no ${key}; it holds ${parts.map((p) => p.key).join(', ')}`,
      ),
  );
  if (description.format !== MODEL_FORMAT)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `model ${ref.digest.slice(0, 12)} has format ${String(description.format)}, this version of Hourglass reads ${MODEL_FORMAT}; train it again or update Hourglass`,
    );
  return { description, arrays: await readArrays() };
}

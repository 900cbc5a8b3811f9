import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ReadOut } from './model/model.ts';

/**
 * How a stored model is applied: the stage that takes `model` and `data`, and the output that answers. Loads no tensors.
 * @throws ARTIFACT_NOT_FOUND, INPUT_INVALID (no model), MODEL_INCOMPATIBLE
 */
export async function readOutOf(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<ReadOut> {
  const { meta } = await store.get(ref, 'model');
  const readOut = meta.readOut as ReadOut | undefined;
  if (!readOut?.stage || !readOut.output)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `model ${ref.digest.slice(0, 12)} does not say how it is applied; train it again with this version`,
    );
  return readOut;
}

/** Whether a stored model is over pictures or over tables. Loads no tensors. @throws ARTIFACT_NOT_FOUND, INPUT_INVALID (no model) */
export async function modelReads(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<'pictures' | 'table'> {
  const { meta } = await store.get(ref, 'model');
  // A model of a table records its columns, one of pictures their channels.
  return meta.channels === undefined ? 'table' : 'pictures';
}

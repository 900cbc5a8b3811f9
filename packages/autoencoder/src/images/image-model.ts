import type { ArtifactStore } from '@hourglass/artifacts';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ParamArrays } from '@hourglass/engine';
import type { MODEL_FORMAT, ReadOut } from '../model/model.ts';
import { readModelFiles, writeModelFiles } from '../model/model-files.ts';
import type { ImageAnswer } from './image-answer.ts';
import type { UnetSpec } from './unet.ts';

/** JSON part of a model over pictures. No times, hosts or paths. */
export interface ImageModelDescription {
  format: typeof MODEL_FORMAT;
  /** Tells it from a model over tables. */
  input: 'images';
  application: string;
  version: number;
  readOut: ReadOut;
  network: UnetSpec;
  /** How the network's answer is read, for files of the model; absent in models of earlier versions. */
  answer?: ImageAnswer;
  options: Record<string, unknown>;
  /** What the application fitted to the pictures besides the weights: JSON. */
  fitted: Record<string, unknown>;
  seed: number;
  engine: string;
  /** Pictures (patches) trained on. */
  rows: number;
}

/** A trained model over pictures in memory. */
export interface ImageModel {
  description: ImageModelDescription;
  params: ParamArrays;
}

/** Stores a model: `model.json` and `weights.safetensors`. */
export function saveImageModel(store: ArtifactStore, { description, params }: ImageModel): Promise<ArtifactRef> {
  return writeModelFiles(store, canonicalJson(description as unknown as Record<string, unknown>), params, {
    application: description.application,
    readOut: { ...description.readOut },
    channels: description.network.inputs,
  });
}

/** @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, MODEL_INCOMPATIBLE for a model over tables */
export async function loadImageModel(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<ImageModel> {
  const { description, arrays } = await readModelFiles(store, ref);
  const read = description as unknown as ImageModelDescription;
  if (read.input !== 'images')
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `model ${ref.digest.slice(0, 12)} (${read.application}) reads tables; expected one that reads pictures`,
    );
  return { description: read, params: arrays as ParamArrays };
}

import type { ArtifactStore } from '@hourglass/artifacts';
import { readSafetensors, writeSafetensors } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { LogisticModel } from '@hourglass/metrics';
import { CLASSIFIER } from './classifier-name.ts';
import type { Scale } from './standardise.ts';

const WEIGHTS = 'head.safetensors';

/** A classifier on frozen features. */
export interface Head {
  label: string;
  classes: string[];
  kind: 'deep' | 'latent';
  scale: Scale;
  model: LogisticModel;
  temperature: number;
}

/** Stores a head with the model whose features it reads, as one artifact. */
export async function putHead(store: ArtifactStore, model: ArtifactRef, head: Head): Promise<ArtifactRef> {
  const { parts, meta } = await store.get(model, 'model');
  const f = head.scale.mean.length;
  const weights = await store.putBlob(
    writeSafetensors({
      mean: { shape: [f], values: head.scale.mean },
      deviation: { shape: [f], values: head.scale.deviation },
      weights: { shape: [f, head.classes.length], values: head.model.weights },
      bias: { shape: [head.classes.length], values: head.model.bias },
    }),
  );
  const { label, classes, kind, temperature } = head;
  return store.put({
    kind: 'model',
    parts: [...parts.filter(({ key }) => key !== WEIGHTS), { key: WEIGHTS, ...weights }],
    meta: {
      ...meta,
      application: CLASSIFIER,
      readOut: { kind: 'score', stage: 'feature-extraction/predict', output: 'data' },
      head: { label, classes, kind, temperature },
    },
  });
}

/** @throws MODEL_INCOMPATIBLE when the model has no head */
export async function loadHead(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<Head> {
  const { parts, meta } = await store.get(ref, 'model');
  const part = parts.find(({ key }) => key === WEIGHTS);
  if (!part || !meta.head)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `feature-extraction/predict: ${ref.digest.slice(0, 12)} is a model of ${String(meta.application)} without a classifier; make one by feature-extraction/fit-classifier`,
    );
  const arrays = readSafetensors(await store.readBlob(part.digest));
  const doubles = (name: string): Float64Array => arrays[name]!.values as Float64Array;
  const head = meta.head as Pick<Head, 'label' | 'classes' | 'kind' | 'temperature'>;
  return {
    ...head,
    scale: { mean: doubles('mean'), deviation: doubles('deviation') },
    model: { weights: doubles('weights'), bias: doubles('bias'), classes: head.classes.length },
  };
}

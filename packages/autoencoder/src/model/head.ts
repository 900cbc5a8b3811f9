import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import type { ReadOut } from './model.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const WEIGHTS = 'head.safetensors';

/** What a head answers with. */
export type HeadTarget =
  /** Probabilities of classes: softmax of answers / temperature. */
  | { kind: 'classes'; classes: string[]; temperature: number }
  /** One number; it is within `margin` of the truth for about the share `coverage` of rows. */
  | { kind: 'number'; margin: number; coverage: number };

/** A linear answer on frozen features of a model's first network: what rows are asked for beyond their own columns. */
export interface Head {
  /** The column it was fitted to. */
  label: string;
  /** deep: all hidden activations, f of them; latent: the latent alone. */
  kind: 'deep' | 'latent';
  /** What features are centred and scaled by, `[f]` each. */
  scale: { mean: Float64Array; deviation: Float64Array };
  /** `[f, answers]`, row-major. */
  weights: Float64Array;
  /** `[answers]` */
  bias: Float64Array;
  target: HeadTarget;
}

/** Stores a head with the model whose features it reads, as one artifact. */
export async function putHead(
  store: ArtifactStore,
  model: ArtifactRef,
  { scale, weights, bias, ...head }: Head,
  as: { application: string; readOut: ReadOut },
): Promise<ArtifactRef> {
  const { parts, meta } = await store.get(model, 'model');
  const f = scale.mean.length;
  const blob = await store.putBlob(
    writeSafetensors({
      mean: { shape: [f], values: scale.mean },
      deviation: { shape: [f], values: scale.deviation },
      weights: { shape: [f, bias.length], values: weights },
      bias: { shape: [bias.length], values: bias },
    }),
  );
  return store.put({
    kind: 'model',
    parts: [...parts.filter(({ key }) => key !== WEIGHTS), { key: WEIGHTS, ...blob }],
    meta: { ...meta, ...as, head },
  });
}

/** The head of a stored model, if it has one. */
export async function loadHead(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<Head | undefined> {
  const { parts, meta } = await store.get(ref, 'model');
  const part = parts.find(({ key }) => key === WEIGHTS);
  if (!part || !meta.head) return undefined;
  const arrays = readSafetensors(await store.readBlob(part.digest));
  const doubles = (name: string): Float64Array => arrays[name]!.values as Float64Array;
  return {
    ...(meta.head as Pick<Head, 'label' | 'kind' | 'target'>),
    scale: { mean: doubles('mean'), deviation: doubles('deviation') },
    weights: doubles('weights'),
    bias: doubles('bias'),
  };
}

/** A head as one product: features as they are · `weights` `[f, answers]` + `bias`, scale and temperature inside. */
export function foldedHead({ scale, weights, bias, target }: Head): { weights: Float64Array; bias: Float64Array } {
  const answers = bias.length;
  const temperature = target.kind === 'classes' ? target.temperature : 1;
  const folded = weights.map((weight, i) => weight / scale.deviation[Math.floor(i / answers)]! / temperature);
  const shifted = bias.map((each) => each / temperature);
  folded.forEach((weight, i) => (shifted[i % answers]! -= weight * scale.mean[Math.floor(i / answers)]!));
  return { weights: folded, bias: shifted };
}

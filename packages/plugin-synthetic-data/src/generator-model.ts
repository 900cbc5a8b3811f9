import type { ArtifactStore } from '@hourglass/artifacts';
import {
  loadModel,
  putFilePair,
  readFilePair,
  saveModel,
  type ColumnHead,
  type FilePair,
  type Model,
  type NamedArray,
} from '@hourglass/autoencoder';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import type { GaussianMixture } from '@hourglass/metrics';
import type { Rules } from './rules.ts';

const FILES: FilePair = ['generator.json', 'generator.safetensors'];
const VERSION = 1;

/** A trained variational model and everything that rows are drawn with. */
export interface Generator {
  model: Model;
  /** How each learned column is told, in the encoder's order. */
  heads: ColumnHead[];
  /** Where the rows lie among the latents: the aggregate posterior. */
  prior: GaussianMixture;
  rules: Rules;
  /** Hashes of rows that occur once in training; a drawn row must be none of them. Ascending. */
  seen: Float64Array;
}

/** Stores the model's files with `generator.json` and `generator.safetensors` beside them. */
export async function saveGenerator(store: ArtifactStore, generator: Generator): Promise<ArtifactRef> {
  const { model, prior, rules, seen } = generator;
  const plain = await store.get(await saveModel(store, model), 'model');
  const k = prior.weights.length;
  const arrays: Record<string, NamedArray> = {
    'prior/weights': { shape: [k], values: prior.weights },
    'prior/means': { shape: [k, prior.dims], values: prior.means },
    'prior/factors': { shape: [k, prior.dims, prior.dims], values: prior.factors },
    seen: { shape: [seen.length], values: seen },
  };
  const heads = generator.heads.map((head, column) => {
    if (!head.modes) return head;
    const modes = head.modes.modes.map(({ low, high, map }, mode) => {
      if (map?.kind !== 'knots') return { low, high, ...(map ? { map } : {}) };
      const name = `modes/${column}/${mode}`;
      arrays[`${name}/x`] = { shape: [map.x.length], values: map.x };
      arrays[`${name}/z`] = { shape: [map.z.length], values: map.z };
      return { low, high, map: { kind: 'knots', slope: map.slope } };
    });
    return { ...head, modes: { ...head.modes, modes } };
  });
  const files = await putFilePair(store, FILES, canonicalJson({ version: VERSION, heads, rules }), arrays);
  return store.put({ ...plain, parts: [...plain.parts, ...files] });
}

/** @throws MODEL_INCOMPATIBLE when it is no generator, or of another version */
export async function loadGenerator(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
  stage: string,
): Promise<Generator> {
  const { parts, meta } = await store.get(ref, 'model');
  const { description: read, readArrays } = await readFilePair<{ version: number; heads: ColumnHead[]; rules: Rules }>(
    store,
    parts,
    FILES,
    () =>
      new HourglassError(
        'MODEL_INCOMPATIBLE',
        `${stage}: model ${ref.digest.slice(0, 12)} is of ${String(meta.application)} and generates no rows; use the model of synthetic-data/train`,
      ),
  );
  if (read.version !== VERSION)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `${stage}: model ${ref.digest.slice(0, 12)} has generator version ${read.version}, this one reads ${VERSION}; train it again or update Hourglass`,
    );
  const arrays = await readArrays();
  const doubles = (name: string): Float64Array => arrays[name]!.values as Float64Array;
  const means = arrays['prior/means']!;
  return {
    model: await loadModel(store, ref),
    heads: read.heads.map((head, column) => {
      if (!head.modes) return head;
      const modes = head.modes.modes.map((mode, k) => {
        if (mode.map?.kind !== 'knots') return mode;
        const name = `modes/${column}/${k}`;
        return { ...mode, map: { ...mode.map, x: doubles(`${name}/x`), z: doubles(`${name}/z`) } };
      });
      return { ...head, modes: { ...head.modes, modes } };
    }),
    prior: {
      dims: means.shape[1]!,
      weights: doubles('prior/weights'),
      means: doubles('prior/means'),
      factors: doubles('prior/factors'),
    },
    rules: read.rules,
    seen: doubles('seen'),
  };
}

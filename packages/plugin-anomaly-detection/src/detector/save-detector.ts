import type { ArtifactStore } from '@hourglass/artifacts';
import {
  loadModel,
  putFilePair,
  readFilePair,
  saveModel,
  type FilePair,
  type Model,
  type NamedArray,
} from '@hourglass/autoencoder';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import type { NumberMatrix } from '@hourglass/metrics';
import type { FittedComponents } from './components.ts';
import type { Detector } from './detector.ts';

const FILES: FilePair = ['detector.json', 'detector.safetensors'];
const VERSION = 1;

/** Stores a model with the detector built on it: the model's files, `detector.json` and `detector.safetensors`. */
export async function saveDetector(store: ArtifactStore, model: Model, detector: Detector): Promise<ArtifactRef> {
  const plain = await store.get(await saveModel(store, model), 'model');
  const { rows, latents, density, ...fitted } = detector.fitted;
  const arrays: Record<string, NamedArray> = {
    rows: { shape: [rows.rows, rows.cols], values: rows.data as Float32Array },
    latents: { shape: [latents.rows, latents.cols], values: latents.data as Float32Array },
    radius: { shape: [rows.rows], values: density.radius },
    density: { shape: [rows.rows], values: density.density },
  };
  const description = {
    version: VERSION,
    fitted,
    scales: detector.scales,
    weights: detector.weights,
    neighbours: density.k,
  };
  const files = await putFilePair(store, FILES, canonicalJson(description), arrays);
  return store.put({ ...plain, parts: [...plain.parts, ...files] });
}

/** @throws MODEL_INCOMPATIBLE when it is no detector, or of another version */
export async function loadDetector(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<{ model: Model; detector: Detector }> {
  const { parts, meta } = await store.get(ref, 'model');
  const { description: read, readArrays } = await readFilePair<
    Omit<Detector, 'fitted'> & {
      version: number;
      fitted: Omit<FittedComponents, 'rows' | 'latents' | 'density'>;
      neighbours: number;
    }
  >(
    store,
    parts,
    FILES,
    (key) =>
      new HourglassError(
        'MODEL_INCOMPATIBLE',
        `model ${ref.digest.slice(0, 12)} is no anomaly detector (it is of ${String(meta.application)}): expected ${key}, found ${parts.map((each) => each.key).join(', ')}; use the model of anomaly-detection/train`,
      ),
  );
  if (read.version !== VERSION)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `detector ${ref.digest.slice(0, 12)} has version ${read.version}, this version of Hourglass reads ${VERSION}; train it again`,
    );
  const arrays = await readArrays();
  return {
    model: await loadModel(store, ref),
    detector: {
      fitted: {
        ...read.fitted,
        rows: matrixOf(arrays.rows!),
        latents: matrixOf(arrays.latents!),
        density: {
          k: read.neighbours,
          radius: arrays.radius!.values as Float64Array,
          density: arrays.density!.values as Float64Array,
        },
      },
      scales: read.scales,
      weights: read.weights,
    },
  };
}

const matrixOf = ({ shape, values }: NamedArray): NumberMatrix => ({ rows: shape[0]!, cols: shape[1]!, data: values });

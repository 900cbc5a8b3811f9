import type { ArtifactStore } from '@hourglass/artifacts';
import { putFilePair, readFilePair, type FilePair } from '@hourglass/autoencoder';
import { canonicalJson, HourglassError, type ArtifactRef } from '@hourglass/core';
import { conformalPValue, paretoTailProbability, type ParetoTail } from '@hourglass/metrics';

/** When a row is flagged, and how that was decided. */
export interface Threshold {
  method: 'conformal' | 'bh' | 'pot' | 'quantile';
  /** Rate of false alarms asked for. */
  level: number;
  /** Rows calibrated on. */
  n: number;
  /** Score from which a row is flagged; of method bh an upper bound, since it depends on the table. */
  score: number;
  /** Expected among a thousand normal rows. */
  alarmsPerThousand: number;
  /** Expected of a day of normal rows, where it is known how many make a day. */
  alarmsPerDay: number | null;
  /** Digest of the detector whose scores these are. */
  model: string;
  tail?: ParetoTail;
  /** Calibration scores, ascending. */
  scores: Float64Array;
}

const FILES: FilePair = ['threshold.json', 'scores.safetensors'];

export async function saveThreshold(store: ArtifactStore, threshold: Threshold): Promise<ArtifactRef> {
  const { scores, ...description } = threshold;
  return store.put({
    kind: 'model',
    parts: await putFilePair(store, FILES, canonicalJson(description), {
      scores: { shape: [scores.length], values: scores },
    }),
    meta: { application: 'anomaly-threshold', ...description },
  });
}

/** @throws MODEL_INCOMPATIBLE when it is no threshold, or was calibrated for another model */
export async function loadThreshold(
  store: ArtifactStore,
  ref: Pick<ArtifactRef, 'digest'>,
  model: Pick<ArtifactRef, 'digest'>,
): Promise<Threshold> {
  const { parts, meta } = await store.get(ref, 'model');
  if (meta.application !== 'anomaly-threshold')
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `${ref.digest.slice(0, 12)} is a model of ${String(meta.application)}, expected a threshold of anomaly-detection/calibrate`,
    );
  const { description, readArrays } = await readFilePair<Threshold>(
    store,
    parts,
    FILES,
    (key) => new HourglassError('MODEL_INCOMPATIBLE', `threshold ${ref.digest.slice(0, 12)} has no ${key}`),
  );
  if (description.model !== model.digest)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `the threshold was calibrated for model ${description.model.slice(0, 12)}, the rows are scored by ${model.digest.slice(0, 12)}: scores of different models do not compare. Calibrate again for this model`,
      { details: { calibratedFor: description.model, model: model.digest } },
    );
  return { ...description, scores: (await readArrays()).scores!.values as Float64Array };
}

/**
 * Chance that a normal row scores at least this high: by rank among the calibration rows; with a fitted tail, beyond its
 * start, by the tail, which goes below 1 / (n + 1).
 */
export function pValue({ tail, scores }: Threshold, score: number): number {
  if (tail && score > tail.threshold) return paretoTailProbability(tail, score);
  return conformalPValue(scores, score);
}

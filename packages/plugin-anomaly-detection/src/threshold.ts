import type { ArtifactStore } from '@hourglass/artifacts';
import { readSafetensors, writeSafetensors } from '@hourglass/autoencoder';
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

const DESCRIPTION = 'threshold.json';
const SCORES = 'scores.safetensors';

export async function saveThreshold(store: ArtifactStore, threshold: Threshold): Promise<ArtifactRef> {
  const { scores, ...description } = threshold;
  const json = await store.putBlob(new TextEncoder().encode(canonicalJson(description)));
  const values = await store.putBlob(writeSafetensors({ scores: { shape: [scores.length], values: scores } }));
  return store.put({
    kind: 'model',
    parts: [
      { key: DESCRIPTION, ...json },
      { key: SCORES, ...values },
    ],
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
  const part = (key: string): string => parts.find((each) => each.key === key)!.digest;
  const description = JSON.parse(new TextDecoder().decode(await store.readBlob(part(DESCRIPTION)))) as Threshold;
  if (description.model !== model.digest)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `the threshold was calibrated for model ${description.model.slice(0, 12)}, the rows are scored by ${model.digest.slice(0, 12)}: scores of different models do not compare. Calibrate again for this model`,
      { details: { calibratedFor: description.model, model: model.digest } },
    );
  const { scores } = readSafetensors(await store.readBlob(part(SCORES)));
  return { ...description, scores: scores!.values as Float64Array };
}

/**
 * Chance that a normal row scores at least this high: by rank among the calibration rows; with a fitted tail, beyond its
 * start, by the tail, which goes below 1 / (n + 1).
 */
export function pValue({ tail, scores }: Threshold, score: number): number {
  if (tail && score > tail.threshold) return paretoTailProbability(tail, score);
  return conformalPValue(scores, score);
}

import type { ParamArrays } from '@hourglass/engine';
import type { TableEncoder } from '../columns/encoder.ts';
import type { NetworkSpec } from '../network/network.ts';

/** What a model is for: how `hourglass apply` uses it, recorded in the model so that no registry is needed. */
export interface ReadOut {
  kind: 'encode' | 'reconstruct' | 'fill' | 'denoise' | 'score' | 'match' | 'generate' | 'colour';
  /** Stage that applies the model: it takes `model` and `data`. */
  stage: string;
  /** Its output that answers. */
  output: string;
}

/** JSON part of a model: everything but the numbers. No times, hosts or paths. */
export interface ModelDescription {
  /** Layout of the model's files. */
  format: 1;
  application: string;
  /** Version of the application that trained it. */
  version: number;
  readOut: ReadOut;
  network: NetworkSpec;
  /** Options of the training, resolved. */
  options: Record<string, unknown>;
  seed: number;
  /** Class of the engine that trained it. */
  engine: string;
  /** Rows trained on. */
  rows: number;
}

/** A trained model in memory. */
export interface Model {
  description: ModelDescription;
  encoder: TableEncoder;
  /** Parameters all members have in common: computed, not trained. */
  shared: ParamArrays;
  /** Trained parameters of each member of the ensemble. */
  members: ParamArrays[];
  /** By band of missing cells and number column in the encoder's order; absent where no cells were put aside in training. */
  heldOut?: HeldOut[][];
}

/** Answers for cells that training had put aside, and what those held: normalised, ascending by answer. */
export interface HeldOut {
  predicted: Float32Array;
  observed: Float32Array;
}

/** Version of the files a model consists of. */
export const MODEL_FORMAT = 1;

/** Upper ends of the bands: share of a row's cells that the network did not see. */
export const HELD_OUT_BANDS = [0.25, 0.5, 0.75, 1] as const;

/** The band of a row, from its weights: 0 where a cell is missing or hidden. */
export function heldOutBand(w: Float32Array): number {
  let missing = 0;
  for (const weight of w) if (weight === 0) missing++;
  return HELD_OUT_BANDS.findIndex((end) => missing <= end * w.length);
}

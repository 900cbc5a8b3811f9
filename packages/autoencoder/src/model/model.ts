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
}

/** Version of the files a model consists of. */
export const MODEL_FORMAT = 1;

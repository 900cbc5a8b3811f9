import type { StepContext } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { ParamBuilder } from '../init.ts';
import type { Params } from '../layers.ts';
import type { NetworkSpec } from '../network.ts';

/** Where a body stands in its network. */
export interface BodyPlace {
  /** Width of the row it is fed with. */
  inputs: number;
  outputs: number;
  /** Latents and answers are added to principal components, which they begin as. */
  onComponents: boolean;
}

/** What comes out of one side, and the hidden activations on the way, `[b, …]` each. */
export interface Passed {
  y: Tensor;
  layers: Tensor[];
}

/** The layers on both sides of a latent. Parameters are named `encoder/…` and `decoder/…`. */
export interface Body {
  /** Adds initial parameters. */
  init(build: ParamBuilder): void;
  /** See Network. */
  rowsAtOnce?: number;
  /** Columns of all hidden activations of both sides. */
  hiddenWidth: number;
  /** Row `[b, inputs]` → latents `[b, d]`. */
  encode(row: Tensor, params: Params, context: StepContext): Passed;
  /** Latents `[b, d]` → the activations that the last layer reads. */
  decode(z: Tensor, params: Params, context: StepContext): Passed;
  /** The last layer → `[b, outputs]`. @param alone nothing but the latent helps, in a network with a skip */
  answer(y: Tensor, params: Params, alone: boolean): Tensor;
}

export type MakeBody = (spec: NetworkSpec, place: BodyPlace) => Body;

import type { StepContext } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { TableLayout } from '../columns/encoder.ts';
import type { TableBatch } from '../model/data.ts';
import type { ReadOut } from '../model/model.ts';
import type { Params } from '../network/layers.ts';
import type { NetworkSpec, TableInput } from '../network/network.ts';
import type { TableLossOptions, TableTarget } from '../network/table-loss.ts';
import type { LearnerOptions } from '../options.ts';

/** What the network gets and what it is compared with. */
export interface Example {
  input: TableInput;
  target: TableTarget;
  /** `[b, C]`: what a cell's loss counts; 0 where the target is missing or not asked for. */
  weight: Tensor;
}

/**
 * The four things that make an application of the one learner: (input, target) by `example`, the network, the loss and
 * the read-out. Everything else is shared.
 */
export interface Application<O extends LearnerOptions = LearnerOptions> {
  /** Also the model's application: `imputation`. */
  name: string;
  /** Raise when models of the version before cannot be applied any more. */
  version: number;
  readOut: ReadOut;
  /** Written once in ordinary tfjs; randomness through `context.random` only. */
  example(batch: TableBatch, context: StepContext, options: O, layout: TableLayout, params: Params): Example;
  /** @default the network the learner options describe */
  network?(spec: NetworkSpec, options: O): NetworkSpec;
  /** What the decoder gets of the latents `[b, d]` while learning, in validation too. @default all of them */
  latent?(z: Tensor, params: Params, context: StepContext, options: O): Tensor;
  /**
   * Weight of a second aim beside a cell's loss: two examples of a row near each other in the latent, apart from other rows.
   * @default 0
   */
  contrast?(options: O): number;
  /**
   * Of how many rows nearest to a row one is drawn as its other example: 0, the other example is of the row itself.
   * @default 0
   */
  neighbours?(options: O): number;
  /** @default squared error for numbers, cross-entropy for the rest */
  loss?(options: O): TableLossOptions;
  /** Whether vector columns are learned, each as one cell; else they are refused by name. @default false */
  vectors?: boolean;
  /** Whether the latent is meant to be wider than a row, so that nobody need be told. @default false */
  wide?: boolean;
  /** What validation puts aside. @default 'rows' */
  validation?: 'rows' | 'cells';
}

/** x → x: the example of every application that reads the latent. */
export function identityExample(batch: TableBatch, mask: Tensor): Example {
  return {
    input: { x: batch.x, mask, codes: batch.codes, cycles: batch.cycles },
    target: { x: batch.x, codes: batch.codes },
    weight: batch.w,
  };
}

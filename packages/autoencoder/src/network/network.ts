import type { Answers } from './answers.ts';
import type { Architecture } from './architectures.ts';
import type { ParamArrays, StepContext } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { EncodedTable } from '../columns/encode.ts';
import { valueWidth, type ColumnEncoder, type TableLayout } from '../columns/encoder.ts';
import type { HeadSpec } from '../variational/heads.ts';
import type { ImageShape } from './image-shape.ts';
import type { Params } from './layers.ts';

/** What a network is fed with for b rows of a table; see EncodedTable for the units. */
export interface TableInput {
  /** `[b, p]`; may hold anything where the mask is 0. Absent without numbers and booleans. */
  x?: Tensor;
  /** `[b, C]`: 1 where the network may look, 0 where the cell is missing or hidden. */
  mask: Tensor;
  /** `[b, q]` int32, present when the table has categories. */
  codes?: Tensor;
  /** `[b, c]`, present when the table has dates. */
  cycles?: Tensor;
}

/** An input made ready for the network: what it sees, and what it only has to correct. */
export interface PreparedInput {
  /** `[b, inputs]` */
  row: Tensor;
  /** `[b, outputs]` or `[b, numbers]`: a linear prediction the network's answer is added to; absent without skip. */
  base?: Tensor;
}

/**
 * A network is functions over named parameters; encode and decode apart, so that every application can export latents
 * and decode from them.
 */
export interface Network {
  spec: NetworkSpec;
  /** Rows that one pass should hold at most, where activations are much larger than rows. @default the engine's own, thousands */
  rowsAtOnce?: number;
  /** Initial parameters, a function of the seed. */
  init(seed: number): ParamArrays;
  /**
   * Parameters computed from the training rows, shared by all members and not trained. Their names begin with `skip/`.
   * What takes long is told to `entered` as it goes on; it may throw to stop it.
   */
  prior(
    encoded: EncodedTable,
    columns: readonly ColumnEncoder[],
    entered?: (message: string) => Promise<void>,
  ): Promise<ParamArrays>;
  prepare(input: TableInput, params: Params): PreparedInput;
  /** f, columns of `activations`. */
  activationWidth: number;
  /** Hidden activations of the encoder, latents, hidden activations of the decoder, side by side, `[b, f]`. */
  activations(input: PreparedInput, params: Params, context: StepContext): Tensor;
  /** Latents `[b, d]`. */
  encode(input: PreparedInput, params: Params, context: StepContext): Tensor;
  /**
   * Output `[b, outputWidth]`: numbers (or the logits of their knots) and elements of vectors, then logits of booleans, then
   * logits of each category column's classes.
   * With `input` the answer is added to its linear prediction; without, it rests on the latent alone.
   */
  decode(z: Tensor, params: Params, context: StepContext, input?: PreparedInput): Tensor;
  /** Both answers of {@link decode}, for the price of one: with the input's help, and from the latent alone. */
  decodeBoth(z: Tensor, params: Params, context: StepContext, input: PreparedInput): { answer: Tensor; alone: Tensor };
}

export const SKIPS = ['none', 'linear', 'gaussian'] as const;
/**
 * What the network's answer is added to. `linear`: a trained linear map of the input. `gaussian`: the conditional mean
 * of the hidden cells under a normal fitted to the table; the body sees the cells so filled.
 */
export type Skip = (typeof SKIPS)[number];

export const BASES = ['none', 'pca'] as const;
/**
 * What the latent starts from. `pca`: principal components of the numeric columns; the network learns what to add to
 * them on both sides of the latent, so that it begins as PCA.
 */
export type Base = (typeof BASES)[number];

/** JSON that rebuilds a network: it stands in the model. */
export interface NetworkSpec {
  /** `variational`: a latent that is a distribution, and a decoder that gives one of each cell. */
  kind: 'tabular' | 'variational';
  architecture: Architecture;
  layout: TableLayout;
  /** Rows and columns of the image that numbers and elements of vectors are, channels last; conv only. */
  image?: ImageShape;
  /** Size of the latent, d. */
  latentDim: number;
  /** Of the hidden layers; conv: channels of the image at its smallest. */
  width: number;
  /** Residual blocks, or hidden layers, on each side of the latent. */
  blocks: number;
  dropout: number;
  skip: Skip;
  /** @default 'none' */
  base?: Base;
  /** The first dimensions of the latent are to say most: the rest is dropped in part of the rows. @default false */
  ordered?: boolean;
  /** Answers of numbers and vectors stay within the range of training. @default false */
  bounded?: boolean;
  /** Pieces each number is also shown in. @default 0 */
  pieces?: number;
  /** How numbers are answered: as values, or as distributions over the bounds of their pieces. @default 'value' */
  answers?: Answers;
  /** Variational: classes of each column, in the encoder's order. */
  heads?: HeadSpec[];
}

/** Width of the output: a number one (or a logit a knot), an element of a vector one, a boolean one, a logit a class. */
export const outputWidth = ({ layout, answers, pieces = 0 }: NetworkSpec): number =>
  valueWidth(layout) +
  (answers === 'distribution' ? layout.numbers * pieces : 0) +
  layout.categories.reduce((sum, { classes }) => sum + classes, 0);

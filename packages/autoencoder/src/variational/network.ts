import { HourglassError } from '@hourglass/core';
import type { ParamArrays, StepContext } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { embeddingWidth, ParamBuilder } from '../network/init.ts';
import { dense, type Params } from '../network/layers.ts';
import type { Network, NetworkSpec, PreparedInput } from '../network/network.ts';
import { assemble } from '../network/tabular.ts';
import { groupHeads, type HeadGroup, type VectorHead } from './heads.ts';
import { imageSides, residualSides } from './sides.ts';
import { greyFrames } from './vectors.ts';

/** A latent as a normal distribution, `[b, d]` each. */
export interface Posterior {
  mu: Tensor;
  logVar: Tensor;
}

/** A group's answer: a distribution over the classes of each column, and of the score within each class. */
export interface HeadOutput {
  group: HeadGroup;
  /** `[b, n, width]`; classes a column does not have are far below the others. */
  logits: Tensor;
  /** Scored groups: mean of the score in each class `[b, n, width]`, and log deviation `[n, width]`. */
  mean?: Tensor;
  logSigma?: Tensor;
}

/** A list's answer: logits of elements that are on or off, or means in the encoder's units, and the log deviation of all. */
export interface VectorOutput {
  vector: VectorColumn;
  /** `[b, length]` */
  elements: Tensor;
  /** Gaussian decoder: `[1]`. */
  logSigma?: Tensor;
}

/** Where a column of lists stands. */
export interface VectorColumn extends VectorHead {
  /** Index into the encoder's columns. */
  column: number;
  /** Where its elements begin in x. */
  at: number;
}

/** Everything a decoder says. */
export interface DecoderOutput {
  heads: HeadOutput[];
  vectors: VectorOutput[];
}

/** The network of a variational autoencoder on tables. */
export interface VariationalNetwork extends Network {
  groups: HeadGroup[];
  /** Columns (the encoder's) with classes, in the order of the groups: that of the targets. */
  order: number[];
  vectors: VectorColumn[];
  posterior(input: PreparedInput, params: Params, context: StepContext): Posterior;
  distributions(z: Tensor, params: Params, context: StepContext): DecoderOutput;
}

/** Log variances and log deviations stay within ± these, smoothly. */
const LOG_VAR_LIMIT = 10;
export const LOG_SIGMA_LIMIT = 4;
/** Added to the logits of classes a column does not have. */
const NEVER = -1e4;

/** Row → residual blocks, or convolutions → normal latent; latent → the same → classes and scores of every column. */
export function variationalNetwork(spec: NetworkSpec): VariationalNetwork {
  const { layout, latentDim } = spec;
  const heads = spec.heads!;
  const groups = groupHeads(heads);
  const vectors = vectorColumns(spec);
  const sides = spec.architecture === 'conv' ? imageSides(spec, vectors[0]!) : residualSides(spec);

  const posterior = ({ row }: PreparedInput, params: Params, context: StepContext): Posterior => {
    const y = sides.encode(row, params, context);
    return { mu: dense(y, params, 'encoder/mu'), logVar: bounded(dense(y, params, 'encoder/logVar'), LOG_VAR_LIMIT) };
  };

  return {
    spec,
    groups,
    order: groups.flatMap(({ columns }) => columns),
    vectors,
    rowsAtOnce: sides.rowsAtOnce,
    init(seed) {
      const build = new ParamBuilder(seed);
      layout.categories.forEach(({ codes }, k) => build.embedding(`embed/${k}`, codes, embeddingWidth(codes)));
      sides.init(build);
      build.dense('encoder/mu', sides.encoded, latentDim, 0.5);
      build.dense('encoder/logVar', sides.encoded, latentDim, 0.1);
      groups.forEach((group, g) => {
        const size = group.columns.length * group.width;
        build.dense(`decoder/class/${g}`, sides.decoded, size, 0.5);
        if (!group.scored) return;
        build.dense(`decoder/score/${g}`, sides.decoded, size, 0.1);
        build.zeros(`decoder/sigma/${g}/bias`, [group.columns.length, group.width]);
      });
      vectors.forEach(({ length, decoder }, k) => {
        if (!spec.image) build.dense(`decoder/vector/${k}`, sides.decoded, length, 0.5);
        if (decoder === 'gaussian') build.zeros(`decoder/vector/${k}/sigma`, [1]);
      });
      return build.params;
    },
    prior: async (_, columns) => ({ ...headMasks(spec, groups), ...greyFrames(columns, vectors) }),
    prepare: (input, params) => ({ row: assemble(input, params, spec) }),
    posterior,
    encode: (input, params, context) => posterior(input, params, context).mu,
    activationWidth: latentDim,
    activations: (input, params, context) => posterior(input, params, context).mu,
    distributions(z, params, context) {
      const { y, image } = sides.decode(z, params, context);
      const rows = z.shape[0]!;
      return {
        heads: groups.map((group, g) => {
          const shape = [rows, group.columns.length, group.width];
          const logits = tf.add(tf.reshape(dense(y, params, `decoder/class/${g}`), shape), params[`skip/never/${g}`]!);
          if (!group.scored) return { group, logits };
          return {
            group,
            logits,
            mean: tf.reshape(dense(y, params, `decoder/score/${g}`), shape),
            logSigma: bounded(params[`decoder/sigma/${g}/bias`]!, LOG_SIGMA_LIMIT),
          };
        }),
        vectors: vectors.map((vector, k) => ({
          vector,
          elements: image ?? dense(y, params, `decoder/vector/${k}`),
          ...(vector.decoder === 'gaussian'
            ? { logSigma: bounded(params[`decoder/vector/${k}/sigma`]!, LOG_SIGMA_LIMIT) }
            : {}),
        })),
      };
    },
    decode: refuseDecoding,
    decodeBoth: refuseDecoding,
  };
}

function refuseDecoding(): never {
  throw new HourglassError(
    'MODEL_INCOMPATIBLE',
    'this model generates rows: its decoder gives distributions, not a table; use synthetic-data/reconstruct, sample or interpolate',
  );
}

function vectorColumns({ layout, heads }: NetworkSpec): VectorColumn[] {
  let at = layout.numbers;
  return heads!.flatMap(({ vector }, column) => {
    if (!vector) return [];
    at += vector.length;
    return [{ ...vector, column, at: at - vector.length }];
  });
}

/** Smoothly within ± limit. */
const bounded = (x: Tensor, limit: number): Tensor => tf.mul(tf.tanh(tf.div(x, limit)), limit);

/** Constants of the groups: which classes a column has, and which of them are scored. */
function headMasks({ heads }: NetworkSpec, groups: HeadGroup[]): ParamArrays {
  const masks: ParamArrays = {};
  groups.forEach(({ columns, width, scored }, g) => {
    const shape = [columns.length, width];
    const never = new Float32Array(columns.length * width);
    const asked = new Float32Array(columns.length * width);
    columns.forEach((column, i) => {
      const { classes, scoredFrom = classes } = heads![column]!;
      never.fill(NEVER, i * width + classes, (i + 1) * width);
      asked.fill(1, i * width + scoredFrom, i * width + classes);
    });
    masks[`skip/never/${g}`] = { shape, values: never };
    if (scored) masks[`skip/scored/${g}`] = { shape, values: asked };
  });
  return masks;
}

import * as tf from '@tensorflow/tfjs';
import type { StepContext } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import type { Params } from '../network/layers.ts';
import { swappedInput } from '../network/corruptions.ts';
import { crossEntropy } from '../network/cross-entropy.ts';
import { toBatch } from '../model/data.ts';
import { observedInput } from '../model/predictor.ts';
import type { RowLoss } from '../training/task.ts';
import type { DecoderOutput, HeadOutput, VariationalNetwork } from './network.ts';
import { binarised, vectorLoss } from './vectors.ts';

/** Frozen parameter `[1]` that holds the present weight of the KL term. */
export const BETA = 'skip/beta';

/**
 * Reconstruction (−log of each cell's distribution, nats) plus β · KL(q(z|x) ‖ N(0, I)), for each row.
 * Free bits hold while training: a dimension whose mean KL over the batch is below them is not pressed further.
 * Source: Kingma & Welling 2014; free bits: Kingma et al. 2016.
 *
 * @param options.freeBits nats a dimension
 * @param options.swapRate share of cells that the encoder sees of another row while training, so that it cannot know rows by heart
 */
export function variationalLoss(
  network: VariationalNetwork,
  { freeBits, swapRate }: { freeBits: number; swapRate: number },
): (batch: Record<string, Tensor>, params: Params, context: StepContext) => RowLoss {
  // An element of a list is as much as a column: the loss of a row is the mean over all.
  const cellsOfRow = network.spec.heads!.reduce((sum, { vector }) => sum + (vector?.length ?? 1), 0);
  return (given, params, context) => {
    const batch = binarised(network, given, params, (shape) => context.random.uniform(shape));
    const { w } = toBatch(batch);
    const input =
      context.training && swapRate > 0
        ? swappedInput(toBatch(batch), context.random, swapRate, network.spec.layout)
        : observedInput(batch);
    const { mu, logVar } = network.posterior(network.prepare(input, params), params, context);
    const [rows, d] = mu.shape as [number, number];
    const z = tf.add(mu, tf.mul(tf.exp(tf.mul(logVar, 0.5)), context.random.normal([rows, d])));
    const cells = rowNats(network.distributions(z, params, context), batch, params);
    const each = tf.mul(tf.sub(tf.add(tf.square(mu), tf.exp(logVar)), tf.add(logVar, 1)), 0.5);
    const kl =
      context.training && freeBits > 0
        ? // The batch's mean, held up from below; every row gets an equal part of it.
          tf.add(tf.mul(tf.sum(each, 1), 0), tf.sum(tf.maximum(tf.mean(each, 0), freeBits)))
        : tf.sum(each, 1);
    const loss = tf.add(cells, tf.mul(kl, params[BETA]!));
    return { loss, weight: tf.add(tf.mul(tf.sum(w, 1), 0), cellsOfRow) };
  };
}

/** −log of everything in a row under the decoder's distributions, `[b]`; constants of scores are left out. */
export function rowNats({ heads, vectors }: DecoderOutput, batch: Record<string, Tensor>, params: Params): Tensor {
  const parts = vectors.map((output, k) => vectorLoss(output, batch, params, k));
  if (heads.length > 0) parts.unshift(reconstructionLoss(heads, batch, params));
  return parts.reduce((sum, part) => tf.add(sum, part));
}

/** −log of the cells that have classes, summed over the columns, `[b]`; constants are left out. */
export function reconstructionLoss(outputs: HeadOutput[], batch: Record<string, Tensor>, params: Params): Tensor {
  let at = 0;
  const parts = outputs.map(({ group, logits, mean, logSigma }, g) => {
    const n = group.columns.length;
    const [rows, all] = batch.target!.shape as [number, number];
    const cut = (cells: Tensor): Tensor => (n === all ? cells : tf.slice(cells, [0, at], [rows, n]));
    const [target, score] = [cut(batch.target!), cut(batch.score!)];
    at += n;
    const truth = tf.cast(tf.oneHot(target as tf.Tensor2D, group.width), 'float32');
    const classes = tf.sum(crossEntropy(logits, truth), 1);
    if (!mean) return classes;
    // Only the class that is true, and only where it is an interval.
    const asked = tf.mul(truth, params[`skip/scored/${g}`]!);
    const error = tf.mul(tf.sub(tf.reshape(score, [rows, n, 1]), mean), tf.exp(tf.neg(logSigma!)));
    const density = tf.mul(asked, tf.add(tf.mul(tf.square(error), 0.5), logSigma!));
    return tf.add(classes, tf.sum(tf.sum(density, 2), 1));
  });
  return parts.reduce((sum, part) => tf.add(sum, part));
}

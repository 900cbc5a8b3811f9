import * as tf from '@tensorflow/tfjs';

import type { StepContext } from '../types.ts';
import { EPSILON, standardise } from './standardise.ts';

/** Parameters of a batch normalisation, `[c]` each; `mean` and `variance` are buffers of the training. */
export interface BatchNormParams {
  scale: tf.Tensor;
  shift: tf.Tensor;
  /** Running mean; starts at 0. */
  mean: tf.Tensor;
  /** Running variance; starts at 1. */
  variance: tf.Tensor;
}

/** Axes of x that are averaged over: all but the last. */
const leading = (x: tf.Tensor): number[] => Array.from({ length: x.rank - 1 }, (_, i) => i);

/**
 * Batch normalisation of x `[n, …, c]` (Ioffe & Szegedy 2015). In training each channel is normalised by mean and variance
 * of the batch, and the running statistics move towards them, as in PyTorch: the variance they collect is the unbiased
 * one (of a single value, which has none, the biased). Otherwise the running statistics normalise.
 *
 * @param momentum share of the batch in the new running statistics
 * @throws CALL_INVALID `mean` or `variance` is no buffer of the training (`TrainingSpec.buffers`)
 */
export function batchNorm(
  x: tf.Tensor,
  { scale, shift, mean, variance }: BatchNormParams,
  context: StepContext,
  momentum = 0.1,
): tf.Tensor {
  if (!context.training)
    return tf.add(tf.mul(tf.sub(x, mean), tf.mul(tf.rsqrt(tf.add(variance, EPSILON)), scale)), shift);
  const axes = leading(x);
  // As `standardise` computes them: compiled, once.
  const batchMean = tf.mean(x, axes, true);
  const batchVariance = tf.mean(tf.square(tf.sub(x, batchMean)), axes, true);
  const count = x.size / x.shape.at(-1)!;
  const moved = (running: tf.Tensor, now: tf.Tensor) =>
    tf.add(tf.mul(running, 1 - momentum), tf.mul(tf.reshape(now, running.shape), momentum));
  context.update(mean, moved(mean, batchMean));
  context.update(variance, moved(variance, tf.mul(batchVariance, count / Math.max(1, count - 1))));
  return tf.add(tf.mul(standardise(x, axes), scale), shift);
}

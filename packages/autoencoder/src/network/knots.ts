import { withGradient } from '@hourglass/engine/layers';
import type { ParamArrays } from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import { piecesBelow, type ColumnBounds } from './pieces.ts';
import type { Params } from './layers.ts';

/**
 * Values a number's distribution stands on, as parameters in a step: N columns of at most K knots. Between two knots a
 * value is shared by both, so that the mean of the distribution can be any number.
 */
export interface Knots {
  /** `[N, K]` */
  values: Tensor;
  /** `[N, K]`: log share of each knot in training, very low where a column has fewer than K. */
  prior: Tensor;
  /** `[N]`: makes the cross-entropy of the marginal cost what its squared error costs. */
  scale: Tensor;
  /** `[N, K − 1]` each: lower end and 1 / length of the pieces between knots. */
  low: Tensor;
  inverse: Tensor;
}

/** The knots among a network's parameters, when its numbers are answered as distributions. */
export const knotsOf = (params: Params): Knots | undefined =>
  params['skip/knots/values'] && {
    values: params['skip/knots/values'],
    prior: params['skip/knots/prior']!,
    scale: params['skip/knots/scale']!,
    low: params['skip/pieces/low']!,
    inverse: params['skip/pieces/inverse']!,
  };

/** A knot that a column does not have. */
const ABSENT = -1e9;

/** What knots are made of. */
export interface KnotFacts {
  count: number;
  /** How many rows stand at each knot. */
  shares: number[];
  variance: number;
}

/** Of a column's observed values, ascending. */
export const knotFacts = (sorted: Float64Array, bounds: readonly number[]): KnotFacts => ({
  count: sorted.length,
  shares: sharesOf(sorted, bounds),
  variance: varianceOf(sorted),
});

/** Knots at the bounds of the pieces, and how often training met each; shared and not trained. */
export function numberKnots(columns: readonly ColumnBounds<KnotFacts>[], pieces: number): ParamArrays {
  const numbers = columns.length;
  const count = pieces + 1;
  const values = new Float32Array(numbers * count);
  const prior = new Float32Array(numbers * count).fill(ABSENT);
  const scale = new Float32Array(numbers).fill(1);
  columns.forEach(({ bounds, facts: { count: rows, shares, variance } }, j) => {
    let entropy = 0;
    shares.forEach((share, k) => {
      values[j * count + k] = bounds[k]!;
      // Half a row for each knot, so that none is impossible.
      const smoothed = (share + 0.5) / (rows + shares.length / 2);
      prior[j * count + k] = Math.log(smoothed);
      entropy -= smoothed * Math.log(smoothed);
    });
    if (entropy > 0 && variance > 0) scale[j] = variance / Math.max(entropy, 0.1);
  });
  return {
    'skip/knots/values': { shape: [numbers, count], values },
    'skip/knots/prior': { shape: [numbers, count], values: prior },
    'skip/knots/scale': { shape: [numbers], values: scale },
  };
}

/** How many rows stand at each knot; one between two counts in parts for both. */
function sharesOf(sorted: Float64Array, bounds: readonly number[]): number[] {
  const shares = bounds.map(() => 0);
  let k = 0;
  for (const value of sorted) {
    while (k + 2 < bounds.length && value >= bounds[k + 1]!) k++;
    if (bounds.length < 2) shares[0]!++;
    else {
      const place = Math.min(1, Math.max(0, (value - bounds[k]!) / (bounds[k + 1]! - bounds[k]!)));
      shares[k]! += 1 - place;
      shares[k + 1]! += place;
    }
  }
  return shares;
}

function varianceOf(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  return variance;
}

const logitsOf = (output: Tensor, { prior }: Knots): Tensor => {
  const [numbers, count] = prior.shape as [number, number];
  return tf.add(tf.reshape(output, [output.shape[0]!, numbers, count]), prior);
};

/** Mean of each number's distribution, `[b, N]`. @param output `[b, N · K]` */
export function knotMean(output: Tensor, knots: Knots): Tensor {
  const logits = logitsOf(output, knots);
  const exponent = tf.exp(tf.sub(logits, tf.max(logits, 2, true)));
  return tf.div(tf.sum(tf.mul(exponent, knots.values), 2), tf.sum(exponent, 2));
}

/**
 * Loss of each number `[b, N]`: half the cross-entropy with the value's share of its two knots, half the squared error of
 * the mean. The first teaches where values lie, the second is what the answer is judged by.
 *
 * @param output `[b, N · K]`
 * @param x `[b, N]`
 * @see Imani & White: Improving Regression Performance with Distributional Losses, ICML 2018
 */
export function knotLoss(output: Tensor, x: Tensor, knots: Knots): Tensor {
  const logits = logitsOf(output, knots);
  const [rows, numbers, count] = logits.shape as [number, number, number];
  const below = piecesBelow(x, knots.low, knots.inverse); // [b, N, K − 1]
  const ones = tf.ones([rows, numbers, 1]);
  const zeros = tf.zeros([rows, numbers, 1]);
  const truth = tf.sub(tf.concat([ones, below], 2), tf.concat([below, zeros], 2));
  return distributionLoss(
    logits,
    truth,
    tf.reshape(x, [rows, numbers, 1]),
    tf.reshape(knots.values, [1, numbers, count]),
    tf.reshape(knots.scale, [1, numbers, 1]),
  );
}

/** Gradient by hand: softmax − truth, and the slope of the mean. */
const distributionLoss = withGradient((logits: Tensor, truth: Tensor, x: Tensor, values: Tensor, scale: Tensor) => {
  const shifted = tf.sub(logits, tf.max(logits, 2, true));
  const exponent = tf.exp(shifted);
  const total = tf.sum(exponent, 2, true);
  const p = tf.div(exponent, total);
  const cross = tf.sub(tf.log(total), tf.sum(tf.mul(shifted, truth), 2, true));
  const away = tf.sub(values, tf.sum(tf.mul(p, values), 2, true)); // [b, N, K]: knots seen from the mean
  const error = tf.sub(tf.sum(tf.mul(p, values), 2, true), x);
  return {
    value: tf.mul(tf.squeeze(tf.add(tf.mul(cross, scale), tf.square(error)), [2]), 0.5),
    saved: [p, truth, away, error, scale],
    back(dy, [share, target, distance, miss, weight]) {
      const slope = tf.add(
        tf.mul(tf.sub(share!, target!), tf.mul(weight!, 0.5)),
        tf.mul(tf.mul(share!, distance!), miss!),
      );
      return [tf.mul(tf.expandDims(dy, 2), slope), ...[truth, x, values, scale].map((input) => tf.zeros(input.shape))];
    },
  };
});

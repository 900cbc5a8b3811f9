import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';

/** Distance in the latent, as a share of the whole table's deviation, at which two rows are half as near as can be. */
const UNIT = 0.1;

/**
 * How far each row is from being told by its other view: cross-entropy `[b]` of finding it among the other views of the
 * batch, the mean of both ways, by nearness 1 / (1 + distance²). Euclidean, as latents are compared afterwards, and with
 * heavy tails, without which few dimensions hold no neighbourhoods.
 *
 * @param a latents `[b, d]` of one view of each row
 * @param b latents `[b, d]` of another
 * @param cells cells of a row: their deviations, each about 1, make the scale that latents begin at
 * @see Böhm, Berens, Kobak: Unsupervised visualization of image datasets using contrastive learning, ICLR 2023 (t-SimCNE)
 */
export function contrastLoss(a: Tensor, b: Tensor, cells: number): Tensor {
  const rows = a.shape[0]!;
  const inUnits = (distances: Tensor): Tensor => tf.add(tf.mul(distances, 1 / (UNIT * UNIT * cells)), 1);
  const size = (z: Tensor): Tensor => tf.sum(tf.square(z), 1);
  const products = tf.matMul(a as Tensor2D, b as Tensor2D, false, true);
  const distances = tf.add(tf.sub(tf.reshape(size(a), [rows, 1]), tf.mul(products, 2)), tf.reshape(size(b), [1, rows]));
  // Rounding must not make a distance negative.
  const nearness = tf.div(1, inUnits(tf.relu(distances)));
  const among = tf.add(tf.log(tf.sum(nearness, 1)), tf.log(tf.sum(nearness, 0)));
  return tf.add(tf.log(inUnits(size(tf.sub(a, b)))), tf.mul(among, 0.5));
}

import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { TableLayout } from '../columns/encoder.ts';
import { knotsOf } from '../network/knots.ts';
import type { Params } from '../network/layers.ts';
import { cellLoss } from '../network/table-loss.ts';
import { toBatch } from './data.ts';

/**
 * How far a network's answer is from the observed cells of each row, `[b, 1]`: mean of the cells' weighted losses, so that
 * a row of which only the marginals are known has about 1. Source of the columns' balance: EncodedTable.w.
 *
 * @param output of `decode` from the latent alone, `[b, outputs]`: with its input a network that corrects a skip repeats
 *   what it is shown
 */
export function rowError(batch: Record<string, Tensor>, output: Tensor, layout: TableLayout, params: Params): Tensor {
  const { x, w, codes } = toBatch(batch);
  const cells = tf.mul(cellLoss(output, { x, codes }, layout, { knots: knotsOf(params) }), w);
  return tf.div(tf.sum(cells, 1, true), tf.add(tf.sum(tf.step(w), 1, true), 1e-6));
}

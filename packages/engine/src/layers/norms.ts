import * as tf from '@tensorflow/tfjs';

import { withGradient } from './custom-gradient.ts';
import { EPSILON, standardise } from './standardise.ts';

/** Layer normalisation of x `[…, d]` with scale and shift `[d]` (Ba et al. 2016). */
export const layerNorm = (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(standardise(x, [x.rank - 1]), scale), shift);

/**
 * Group normalisation of images `[n, h, w, c]` with scale and shift `[c]` (Wu & He 2018). Means are taken channel by
 * channel and then over groups, and everything that is constant over an image is gathered into one factor and one term:
 * half the passes of the same op by op.
 *
 * @param groups must divide c
 */
export function groupNorm(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, groups: number): tf.Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const cells = h * w;
  /** Mean over each group of channel means `[n, 1, c]`, for each channel. */
  const overGroups = (means: tf.Tensor): tf.Tensor => {
    const each = tf.mean(tf.reshape(means, [n, groups, c / groups]), 2, true);
    return tf.reshape(tf.broadcastTo(each, [n, groups, c / groups]), [n, 1, c]);
  };
  const normalise = withGradient((images: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor) => {
    const rows = tf.reshape(images, [n, cells, c]);
    const centred = tf.sub(rows, overGroups(tf.mean(rows, 1, true)));
    const inverse = tf.rsqrt(tf.add(overGroups(tf.mean(tf.square(centred), 1, true)), EPSILON));
    const factor = tf.mul(inverse, gain);
    return {
      value: tf.reshape(tf.add(tf.mul(centred, factor), bias), [n, h, w, c]),
      saved: [centred, inverse, factor, gain],
      back(dy, [xc, r, f, g]) {
        const rowsDy = tf.reshape(dy, [n, cells, c]);
        const sumDy = tf.sum(rowsDy, 1, true);
        const sumAlong = tf.sum(tf.mul(rowsDy, xc!), 1, true);
        const mean = tf.div(overGroups(tf.mul(sumDy, g!)), cells);
        const along = tf.div(overGroups(tf.mul(sumAlong, g!)), cells);
        const slope = tf.mul(tf.mul(along, r!), tf.mul(r!, r!));
        const dx = tf.sub(tf.sub(tf.mul(rowsDy, f!), tf.mul(xc!, slope)), tf.mul(mean, r!));
        const dGain = tf.reshape(tf.sum(tf.mul(sumAlong, r!), 0), [c]);
        return [tf.reshape(dx, [n, h, w, c]), dGain, tf.reshape(tf.sum(sumDy, 0), [c])];
      },
    };
  });
  return normalise(x, scale, shift);
}

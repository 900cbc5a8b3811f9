import { withGradient } from '@hourglass/engine/layers';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';

/**
 * −Σ truth · log softmax(logits) over the last axis: `[…, classes]` → `[…]`. Gradient by hand: softmax · Σ truth − truth,
 * so that where no class is true nothing is learned.
 */
export const crossEntropy = withGradient((logits: Tensor, truth: Tensor) => {
  const shifted = tf.sub(logits, tf.max(logits, -1, true));
  const exponent = tf.exp(shifted);
  const total = tf.sum(exponent, -1, true);
  return {
    value: tf.sum(tf.mul(tf.sub(tf.log(total), shifted), truth), -1),
    saved: [tf.div(exponent, total), truth],
    back(dy, [probabilities, labels]) {
      const known = tf.sum(labels!, -1, true);
      return [tf.mul(tf.expandDims(dy, -1), tf.sub(tf.mul(probabilities!, known), labels!)), tf.zerosLike(labels!)];
    },
  };
});

import * as tf from '@tensorflow/tfjs';

import { registerMissingGradients } from './missing-gradients.ts';

registerMissingGradients();

/**
 * Value of `f` and its gradients, one for each of `xs`, undefined where `f` does not depend on it. A function that
 * throws leaves no tensor behind: tfjs itself would keep those saved for the way back.
 */
export function valueAndGradients(
  f: () => tf.Scalar,
  xs: tf.Tensor[],
): { value: tf.Scalar; grads: (tf.Tensor | undefined)[] } {
  const engine = tf.engine();
  try {
    return engine.gradients(f, xs, undefined, true);
  } catch (error) {
    if (engine.state.gradientDepth === 0) {
      for (const { saved } of engine.state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
      engine.state.activeTape = undefined as never;
    }
    throw error;
  }
}

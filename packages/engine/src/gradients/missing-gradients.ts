import * as tf from '@tensorflow/tfjs';

type Attrs = Record<string, unknown>;

/** Answers that change in steps: their slope is zero wherever there is one. */
const STEPWISE: Record<string, readonly string[]> = {
  Greater: ['a', 'b'],
  Less: ['a', 'b'],
  LessEqual: ['a', 'b'],
  Equal: ['a', 'b'],
  NotEqual: ['a', 'b'],
  LogicalAnd: ['a', 'b'],
  LogicalOr: ['a', 'b'],
  LogicalNot: ['x'],
  IsNan: ['x'],
  Any: ['x'],
  All: ['x'],
};

function depthToSpaceGradient(dy: tf.Tensor, { blockSize, dataFormat }: Attrs): tf.Tensor {
  if (dataFormat !== 'NHWC') throw new Error('depthToSpace in NCHW has no gradient: use NHWC');
  const block = blockSize as number;
  const [n, height, width, depth] = dy.shape as [number, number, number, number];
  const [h, w] = [height / block, width / block];
  const blocks = tf.transpose(tf.reshape(dy, [n, h, block, w, block, depth]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(blocks, [n, h, w, block * block * depth]);
}

/**
 * Gives tfjs the gradients it lacks: of comparisons, so that `tf.where(tf.greater(x, 0), …)` can be learned through, and
 * of `tf.depthToSpace` (pixel shuffle, Shi et al. 2016). Those it has are left alone.
 */
export function registerMissingGradients(): void {
  for (const [kernelName, inputs] of Object.entries(STEPWISE)) {
    if (tf.getGradient(kernelName)) continue;
    tf.registerGradient({
      kernelName,
      inputsToSave: [...inputs],
      gradFunc: (_, saved) =>
        Object.fromEntries(inputs.map((name, i) => [name, () => tf.zeros((saved[i] as tf.Tensor).shape)])),
    });
  }
  if (!tf.getGradient('DepthToSpace'))
    tf.registerGradient({
      kernelName: 'DepthToSpace',
      gradFunc: (dy, _, attrs) => ({ x: () => depthToSpaceGradient(dy as tf.Tensor, attrs as Attrs) }),
    });
}

import * as tf from '@tensorflow/tfjs';

type Tensors = readonly tf.Tensor[];

/**
 * A function of tensors whose gradient is written by hand. tfjs' own type of customGrad knows neither a list of saved
 * tensors nor that of inputs.
 *
 * @param f gives the value, what the way back needs, and that way: gradients of the inputs
 */
export function withGradient<X extends Tensors>(
  f: (...xs: X) => { value: tf.Tensor; saved: tf.Tensor[]; back: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[] },
): (...xs: X) => tf.Tensor {
  return tf.customGrad((...args: unknown[]) => {
    const save = args.pop() as (tensors: tf.Tensor[]) => void;
    const { value, saved, back } = f(...(args as unknown as X));
    save(saved);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => back(dy, kept) };
  }) as unknown as (...xs: X) => tf.Tensor;
}

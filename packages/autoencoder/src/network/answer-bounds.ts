import type { ParamArrays, StepContext } from '@hourglass/engine';
import { withGradient } from '@hourglass/engine/layers';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { ColumnEncoder } from '../columns/encoder.ts';
import { normalise } from '../columns/normaliser.ts';
import { onFirst, type Params } from './layers.ts';

/** Stands for no bound; what it is compared with stays finite. */
const FAR = 1e30;

/** What is left of the gradient beyond a bound, so that an answer there still finds its way back. */
const LEAK = 0.1;

/** The range each number and each element of a vector had in training, as the network sees it, `[reals]`; frozen. */
export function answerBounds(columns: readonly ColumnEncoder[]): ParamArrays {
  const bounds = (side: 'min' | 'max', none: number): number[] =>
    columns.flatMap((column) => {
      if (column.kind === 'number') return column.empty ? [none] : [normalise(column.map, column[side])];
      if (column.kind !== 'vector') return [];
      const { center, scale } = column;
      return Number.isNaN(column[side])
        ? Array.from(center, () => none)
        : Array.from(center, (mean) => (column[side] - mean) / scale);
    });
  const low = bounds('min', -FAR);
  const array = (values: number[]) => ({ shape: [values.length], values: Float32Array.from(values) });
  return { 'skip/low': array(low), 'skip/high': array(bounds('max', FAR)) };
}

/**
 * Answers `[b, outputs]` whose numbers and elements of vectors, the first ones, stay within their bounds. In training what is
 * beyond them counts for a tenth, so that the gradient does not vanish there.
 */
export function withinBounds(answer: Tensor, params: Params, context: StepContext): Tensor {
  const low = params['skip/low']!;
  const high = params['skip/high']!;
  const keep = context.training ? leakily : exactly;
  return onFirst(answer, low.shape[0]!, (part) => keep(part, low, high));
}

/** The least each number was in training, `[reals]`: what is dark in an image; 0, the mean, where there was none. */
export function darkest(params: Params): Tensor {
  const low = params['skip/low']!;
  return tf.mul(low, tf.step(tf.add(low, FAR / 2)));
}

const exactly = (y: Tensor, low: Tensor, high: Tensor): Tensor => tf.minimum(tf.maximum(y, low), high);

const leakily = withGradient((y: Tensor, low: Tensor, high: Tensor) => {
  const inside = exactly(y, low, high);
  return {
    value: tf.add(tf.mul(inside, 1 - LEAK), tf.mul(y, LEAK)),
    saved: [y, low, high],
    back(dy, [answer, least, most]) {
      const within = tf.mul(tf.step(tf.sub(answer!, least!)), tf.step(tf.sub(most!, answer!)));
      // Bounds are frozen: whatever stands as their gradient is not used.
      return [tf.mul(dy, tf.add(tf.mul(within, 1 - LEAK), LEAK)), tf.zerosLike(least!), tf.zerosLike(most!)];
    },
  };
});

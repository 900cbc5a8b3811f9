import * as tf from '@tensorflow/tfjs';

import { sizeOf } from '../flat-params.ts';
import { drawBernoulli, drawNormal, drawUniform, type DrawAddress } from '../random/draw.ts';
import type { StepRandom } from '../types.ts';

/**
 * The generator a step draws from. The n-th draw of a step has call index n.
 *
 * @param firstRow row of the whole input that row 0 of this batch is: with it, what a row draws does not depend on how
 * the rows were cut into batches, as long as the first dimension of a draw counts rows.
 */
export function stepRandom(address: Omit<DrawAddress, 'call'>, firstRow = 0): StepRandom {
  let call = 0;
  const next = (shape: number[]) => ({
    at: { ...address, call: call++ },
    count: sizeOf(shape),
    offset: firstRow * sizeOf(shape.slice(1)),
  });
  return {
    uniform(shape) {
      const { at, count, offset } = next(shape);
      return tf.tensor(drawUniform(at, count, offset), shape);
    },
    normal(shape) {
      const { at, count, offset } = next(shape);
      return tf.tensor(drawNormal(at, count, offset), shape);
    },
    bernoulli(shape, p) {
      const { at, count, offset } = next(shape);
      return tf.tensor(drawBernoulli(at, count, p, offset), shape);
    },
  };
}

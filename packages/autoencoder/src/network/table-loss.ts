import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs';
import { FIRST_CATEGORY, realWidth, type TableLayout } from '../columns/encoder.ts';
import { outputWidth } from './network.ts';
import { gatherCells } from './vector-cells.ts';

/** What the output is compared with; see EncodedTable for the units. */
export interface TableTarget {
  /** `[b, p]` */
  x?: Tensor;
  /** `[b, q]` int32 */
  codes?: Tensor;
}

export interface TableLossOptions {
  /** Beyond this many deviations the loss of a number grows linearly (Huber). @default none: squared error */
  huber?: number;
}

/**
 * Loss of every cell `[b, C]` before weights: squared error (or Huber) for numbers, cross-entropy for booleans and
 * categories. With the columns' weights a cell costs about 1 when only the marginal is known, whatever its type.
 */
export function cellLoss(
  output: Tensor,
  target: TableTarget,
  layout: TableLayout,
  options: TableLossOptions = {},
): Tensor {
  const rows = output.shape[0]!;
  const { booleans, categories } = layout;
  const reals = realWidth(layout);
  const only = (from: number, width: number): Tensor =>
    width === outputWidth(layout) ? output : tf.slice(output, [0, from], [rows, width]);
  const targets = (from: number, width: number): Tensor =>
    width === reals + booleans ? target.x! : tf.slice(target.x!, [0, from], [rows, width]);
  const parts: Tensor[] = [];
  if (reals > 0) parts.push(gatherCells(numberLoss(only(0, reals), targets(0, reals), options.huber), layout));
  if (booleans > 0) parts.push(booleanLoss(only(reals, booleans), targets(reals, booleans)));
  let at = reals + booleans;
  categories.forEach(({ classes }, k) => {
    const code = tf.slice(target.codes!, [0, k], [rows, 1]);
    parts.push(categoryLoss(only(at, classes), tf.reshape(code, [rows]), classes));
    at += classes;
  });
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}

function numberLoss(output: Tensor, target: Tensor, delta: number | undefined): Tensor {
  const error = tf.sub(output, target);
  if (delta === undefined) return tf.square(error);
  // Twice Huber's function, so that small errors cost their square.
  const size = tf.abs(error);
  const small = tf.minimum(size, delta);
  return tf.add(tf.square(small), tf.mul(tf.sub(size, small), 2 * delta));
}

/** Cross-entropy of logits l and targets t: max(l, 0) − l·t + log(1 + e^−|l|), which never overflows. */
function booleanLoss(logits: Tensor, target: Tensor): Tensor {
  const stable = tf.log(tf.add(tf.exp(tf.neg(tf.abs(logits))), 1));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, target)), stable);
}

/** Cross-entropy `[b, 1]`; codes below the first category (missing, unknown) match no class and cost what they cost: weigh them 0. */
function categoryLoss(logits: Tensor, codes: Tensor, classes: number): Tensor {
  const index = tf.cast(tf.sub(tf.cast(codes, 'float32'), FIRST_CATEGORY), 'int32');
  const truth = tf.cast(tf.oneHot(index as Tensor1D, classes), 'float32');
  return softmaxCrossEntropy(logits, truth);
}

/** Gradient by hand: softmax − truth. */
const softmaxCrossEntropy = tf.customGrad((logits, truth, save) => {
  const shifted = tf.sub(logits as Tensor, tf.max(logits as Tensor, 1, true));
  const exponent = tf.exp(shifted);
  const total = tf.sum(exponent, 1, true);
  const value = tf.sum(tf.mul(tf.sub(tf.log(total), shifted), truth as Tensor), 1, true);
  (save as unknown as (tensors: Tensor[]) => void)([tf.div(exponent, total), truth as Tensor]);
  return {
    value,
    gradFunc: (dy, saved) => {
      const [probabilities, labels] = saved as [Tensor, Tensor];
      const known = tf.sum(labels, 1, true);
      const slope = tf.mul(dy as Tensor, tf.sub(tf.mul(probabilities, known), labels));
      return [slope, tf.zerosLike(labels)];
    },
  };
}) as (logits: Tensor, truth: Tensor) => Tensor;

/** Output → what a reader wants: numbers and elements of vectors as they are, probabilities of booleans and of classes. */
export function readOutput(output: Tensor, layout: TableLayout): Record<string, Tensor> {
  const rows = output.shape[0]!;
  const { booleans, categories } = layout;
  const reals = realWidth(layout);
  const values: Tensor[] = [];
  if (reals > 0) values.push(tf.slice(output, [0, 0], [rows, reals]));
  if (booleans > 0) values.push(tf.sigmoid(tf.slice(output, [0, reals], [rows, booleans])));
  const read: Record<string, Tensor> = {};
  if (values.length > 0) read.values = values.length === 1 ? values[0]! : tf.concat(values, 1);
  let at = reals + booleans;
  categories.forEach(({ classes }, k) => {
    read[`class/${k}`] = tf.softmax(tf.slice(output, [0, at], [rows, classes]));
    at += classes;
  });
  return read;
}

import * as tf from '@tensorflow/tfjs';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs';
import { FIRST_CATEGORY, realWidth, type TableLayout } from '../columns/encoder.ts';
import { crossEntropy } from './cross-entropy.ts';
import { knotLoss, knotMean, type Knots } from './knots.ts';
import { gatherCells } from './vector-cells.ts';

/** What the output is compared with; see EncodedTable for the units. */
export interface TableTarget {
  /** `[b, p]` */
  x?: Tensor;
  /** `[b, q]` int32 */
  codes?: Tensor;
}

export interface TableLossOptions {
  /** Numbers are answered as distributions over these; without: as values. */
  knots?: Knots;
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
    width === output.shape[1] ? output : tf.slice(output, [0, from], [rows, width]);
  const answered = answeredWidth(layout, options.knots);
  const targets = (from: number, width: number): Tensor =>
    width === reals + booleans ? target.x! : tf.slice(target.x!, [0, from], [rows, width]);
  const parts: Tensor[] = [];
  if (reals > 0) {
    const [answer, truth] = [only(0, answered), targets(0, reals)];
    const losses = options.knots
      ? knotLosses(answer, truth, layout, options.knots)
      : numberLoss(answer, truth, options.huber);
    parts.push(gatherCells(losses, layout));
  }
  if (booleans > 0) parts.push(booleanLoss(only(answered, booleans), targets(reals, booleans)));
  let at = answered + booleans;
  categories.forEach(({ classes }, k) => {
    const code = tf.slice(target.codes!, [0, k], [rows, 1]);
    // A column without any value has no outputs.
    if (classes === 0) parts.push(tf.mul(tf.cast(code, 'float32'), 0));
    else parts.push(categoryLoss(only(at, classes), tf.reshape(code, [rows]), classes));
    at += classes;
  });
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}

/** Outputs that numbers and elements of vectors take; only numbers are answered as distributions. */
const answeredWidth = (layout: TableLayout, knots: Knots | undefined): number =>
  realWidth(layout) + layout.numbers * ((knots?.values.shape[1] ?? 1) - 1);

/** Numbers as distributions, elements of vectors behind them as values. */
function knotLosses(answer: Tensor, truth: Tensor, { numbers }: TableLayout, knots: Knots): Tensor {
  const [rows, reals] = truth.shape as [number, number];
  const width = answer.shape[1]!;
  const elements = reals - numbers;
  if (elements === 0) return knotLoss(answer, truth, knots);
  const own = knotLoss(
    tf.slice(answer, [0, 0], [rows, width - elements]),
    tf.slice(truth, [0, 0], [rows, numbers]),
    knots,
  );
  const rest = numberLoss(
    tf.slice(answer, [0, width - elements], [rows, elements]),
    tf.slice(truth, [0, numbers], [rows, elements]),
    undefined,
  );
  return tf.concat([own, rest], 1);
}

function knotMeans(answer: Tensor, layout: TableLayout, knots: Knots): Tensor {
  const [rows, width] = answer.shape as [number, number];
  const elements = realWidth(layout) - layout.numbers;
  if (elements === 0) return knotMean(answer, knots);
  const own = knotMean(tf.slice(answer, [0, 0], [rows, width - elements]), knots);
  return tf.concat([own, tf.slice(answer, [0, width - elements], [rows, elements])], 1);
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
export function booleanLoss(logits: Tensor, target: Tensor): Tensor {
  const stable = tf.log(tf.add(tf.exp(tf.neg(tf.abs(logits))), 1));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, target)), stable);
}

/** Cross-entropy `[b, 1]`; codes below the first category (missing, unknown) match no class and cost what they cost: weigh them 0. */
function categoryLoss(logits: Tensor, codes: Tensor, classes: number): Tensor {
  // The one value of a constant column is always right; tied to the network, a table of such columns alone trains too.
  if (classes === 1) return tf.mul(logits, 0);
  const index = tf.cast(tf.sub(tf.cast(codes, 'float32'), FIRST_CATEGORY), 'int32');
  const truth = tf.cast(tf.oneHot(index as Tensor1D, classes), 'float32');
  return tf.expandDims(crossEntropy(logits, truth), 1);
}

/** Output → what a reader wants: numbers (or the means of their distributions) and elements of vectors, probabilities of booleans and of classes. */
export function readOutput(output: Tensor, layout: TableLayout, knots?: Knots): Record<string, Tensor> {
  const rows = output.shape[0]!;
  const { booleans, categories } = layout;
  const answered = answeredWidth(layout, knots);
  const values: Tensor[] = [];
  if (answered > 0) {
    const answer = tf.slice(output, [0, 0], [rows, answered]);
    values.push(knots ? knotMeans(answer, layout, knots) : answer);
  }
  if (booleans > 0) values.push(tf.sigmoid(tf.slice(output, [0, answered], [rows, booleans])));
  const read: Record<string, Tensor> = {};
  if (values.length > 0) read.values = values.length === 1 ? values[0]! : tf.concat(values, 1);
  let at = answered + booleans;
  categories.forEach(({ classes }, k) => {
    read[`class/${k}`] = tf.softmax(tf.slice(output, [0, at], [rows, classes]));
    at += classes;
  });
  return read;
}

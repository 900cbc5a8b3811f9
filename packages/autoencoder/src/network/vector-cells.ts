import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { TableLayout } from '../columns/encoder.ts';

/** Cells of numbers, vectors and booleans `[b, columns]` as values `[b, p]`: a vector's cell stands for all its elements. */
export function spreadCells(cells: Tensor, { numbers, vectors = [], booleans }: TableLayout): Tensor {
  const rows = cells.shape[0]!;
  const parts: Tensor[] = [];
  if (numbers > 0) parts.push(tf.slice(cells, [0, 0], [rows, numbers]));
  vectors.forEach((length, k) => {
    const cell = tf.slice(cells, [0, numbers + k], [rows, 1]);
    parts.push(tf.mul(cell, tf.ones([1, length])));
  });
  if (booleans > 0) parts.push(tf.slice(cells, [0, numbers + vectors.length], [rows, booleans]));
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}

/** Losses of numbers and elements of vectors `[b, reals]` as losses of cells: a vector costs the mean of its elements. */
export function gatherCells(losses: Tensor, { numbers, vectors = [] }: TableLayout): Tensor {
  if (vectors.length === 0) return losses;
  const rows = losses.shape[0]!;
  const parts: Tensor[] = numbers > 0 ? [tf.slice(losses, [0, 0], [rows, numbers])] : [];
  let at = numbers;
  for (const length of vectors) {
    const own = parts.length === 0 && vectors.length === 1 ? losses : tf.slice(losses, [0, at], [rows, length]);
    parts.push(tf.mean(own, 1, true));
    at += length;
  }
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}

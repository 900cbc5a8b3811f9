import * as tf from '@tensorflow/tfjs';
import type { StepRandom } from '@hourglass/engine';
import type { Tensor } from '@tensorflow/tfjs';
import { realWidth, valueColumns, type TableLayout } from '../columns/encoder.ts';
import type { TableBatch } from '../model/data.ts';
import type { TableInput } from './network.ts';

/**
 * Which cells to hide, `[b, C]` of 0 / 1: each row at a rate of its own, drawn from U(0, maxRate).
 * Source: ReMasker (Du et al., ICLR 2024).
 */
export function hideCells(random: StepRandom, rows: number, columns: number, maxRate: number): Tensor {
  const rate = tf.mul(random.uniform([rows, 1]), maxRate);
  return tf.step(tf.sub(rate, random.uniform([rows, columns])));
}

/**
 * Swap noise: with probability `rate` a cell takes the value of the same column in another row of the batch, so that
 * noise follows each column's own distribution. The other row is the next one: the order of rows is random already.
 * @param cells tensors `[b, …]` of the same rows, swapped by one draw `[b, columns]` when their widths agree
 */
export function swapCells(cells: Tensor, swapped: Tensor): Tensor {
  const rows = cells.shape[0]!;
  if (rows < 2) return cells;
  const width = cells.shape.slice(1);
  const next = tf.concat([
    tf.slice(cells, [1, ...width.map(() => 0)], [rows - 1, ...width]),
    tf.slice(cells, [0, ...width.map(() => 0)], [1, ...width]),
  ]);
  return tf.add(cells, tf.mul(tf.sub(next, cells), swapped));
}

/**
 * A batch as input with swap noise on every kind of cell: values, categories and what is missing.
 * @param rate share of cells that take another row's value
 */
export function swappedInput(batch: TableBatch, random: StepRandom, rate: number, layout: TableLayout): TableInput {
  const { x, w, codes, cycles } = batch;
  const [rows, columns] = w.shape as [number, number];
  const swapped = random.bernoulli([rows, columns], rate);
  const values = valueColumns(layout);
  const of = (from: number, width: number): Tensor =>
    width === columns ? swapped : tf.slice(swapped, [0, from], [rows, width]);
  // Elements of a vector are swapped one by one.
  const elements = realWidth(layout) - layout.numbers;
  const swappedValues = (): Tensor =>
    elements === 0
      ? of(0, values)
      : tf.concat(
          [
            of(0, layout.numbers),
            random.bernoulli([rows, elements], rate),
            of(values - layout.booleans, layout.booleans),
          ].filter(({ shape }) => shape[1]! > 0),
          1,
        );
  return {
    mask: swapCells(tf.step(w), swapped),
    cycles,
    ...(x ? { x: swapCells(x, swappedValues()) } : {}),
    ...(codes ? { codes: tf.cast(swapCells(tf.cast(codes, 'float32'), of(values, columns - values)), 'int32') } : {}),
  };
}

/**
 * Nested dropout: of each row's latents `[b, d]` only the first k stay, so that the first dimensions learn to say most, as
 * principal components do. Source: Rippel, Gelbart, Adams (ICML 2014).
 * @param dropped `[d]`, rising from 0: in what share of the rows each dimension is dropped. @default every k alike
 */
export function keepFirstLatents(z: Tensor, random: StepRandom, dropped?: Tensor): Tensor {
  const [rows, d] = z.shape as [number, number];
  const shares = dropped ?? tf.div(tf.range(0, d, 1, 'float32'), d);
  return tf.mul(z, tf.step(tf.add(tf.sub(random.uniform([rows, 1]), shares), 1e-6)));
}

/** Gaussian noise of deviation `sigma`, in the units of the tensor. */
export const addNoise = (x: Tensor, random: StepRandom, sigma: number): Tensor =>
  tf.add(x, tf.mul(random.normal(x.shape), sigma));

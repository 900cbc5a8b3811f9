import { defineApplication, swapCells } from '@hourglass/autoencoder';
import type { LearnerOptions } from '@hourglass/autoencoder/options';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { eachPart, openDataset, writeDataset } from '@hourglass/dataset';
import type { StepRandom } from '@hourglass/engine';
import type { StageContext } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '@tensorflow/tfjs';
import type { TableNoiseOptions } from '../noise-options.ts';
import { neighbourName, offsets, tablesBesideNeighbours } from './neighbour-rows.ts';
import { numberColumns } from './number-columns.ts';
import type { TableLearnerOptions } from './table-options.ts';

/** As the model records them. */
export type TableDenoiserOptions = LearnerOptions & TableNoiseOptions & { neighbours: number };

const STAGE = 'denoising/train';

/** x + noise → x on columns of numbers. Standardised, noise of a level in deviations has that deviation. */
export const tableDenoising = defineApplication<TableDenoiserOptions>({
  name: 'denoising',
  version: 1,
  readOut: { kind: 'denoise', stage: 'denoising/denoise', output: 'data' },
  wide: true,
  example({ x, w }, { random }, options, { numbers }) {
    // The row itself stands before its neighbours, which are shown but not asked for.
    const own = numbers / (2 * options.neighbours + 1);
    const [rows] = w.shape as [number, number];
    const weight =
      own === numbers ? w : tf.concat([tf.slice(w, [0, 0], [rows, own]), tf.zeros([rows, numbers - own])], 1);
    return { input: { x: noisy(x!, options, random), mask: tf.step(w) }, target: { x }, weight };
  },
});

function noisy(x: Tensor, { noise, level }: TableNoiseOptions, random: StepRandom): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const [low, high] = typeof level === 'number' ? [level, level] : level;
  const strength: Tensor | number = low === high ? low : tf.add(tf.mul(random.uniform([rows, 1]), high - low), low);
  if (noise === 'swap') return swapCells(x, tf.step(tf.sub(strength, random.uniform([rows, columns]))));
  return tf.add(x, tf.mul(random.normal([rows, columns]), strength));
}

/** Learns on a table of clean rows. Its columns of numbers are made doubles, with their neighbours beside them. */
export async function trainTable(
  context: StageContext,
  data: ArtifactRef,
  options: TableLearnerOptions & TableNoiseOptions,
) {
  const reader = await openDataset(context.artifacts, data);
  const { exclude, neighbours, ...rest } = options;
  const names = numberColumns(reader, { columns: options.columns, exclude }, STAGE).map(({ name }) => name);
  if (reader.rows < 2)
    throw new HourglassError('DATA_INSUFFICIENT', `${STAGE}: expected at least 2 rows, found ${reader.rows}`);
  const prepared = await writeDataset(context.artifacts, {
    columns: offsets(neighbours).flatMap((offset) =>
      names.map((name) => ({ name: neighbourName(name, offset), physical: 'DOUBLE' })),
    ),
    parts: eachPart(reader, ({ key }) => tablesBesideNeighbours(reader, key, names, neighbours)),
  });
  return tableDenoising.train(
    context,
    { data: prepared },
    {
      ...rest,
      columns: undefined,
      exclude: [],
      categorical: [],
      text: 'refuse',
      maxCategories: 256,
      normalisation: 'standard',
      neighbours,
    },
    { module: './train.ts', export: 'trainMember' },
  );
}

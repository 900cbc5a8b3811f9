import { defineLatentApplication, identityExample, realWidth, swapCells, valueColumns } from '@hourglass/autoencoder';
import type { StageOptions } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { train } from './index.ts';
import { requireLabel } from './label.ts';

/** Options, and the table learned from: recorded in the model, so that testing on it can be refused. */
type Options = StageOptions<typeof train> & { trainedOn: string };

/**
 * x with cells swapped among rows → x: to put them right the network must know how columns belong together.
 * Source: swap noise of M. Jahrer's winning entry, Porto Seguro 2017.
 */
const features = defineLatentApplication<Options>({
  name: 'feature-extraction',
  version: 1,
  readOut: { kind: 'encode', stage: 'feature-extraction/transform', output: 'data' },
  example(batch, { random }, { swapRate }, layout) {
    const clean = identityExample(batch, tf.step(batch.w));
    if (swapRate === 0) return clean;
    const [rows, columns] = batch.w.shape as [number, number];
    const swapped = random.bernoulli([rows, columns], swapRate);
    const values = valueColumns(layout);
    const of = (from: number, width: number): tf.Tensor =>
      width === columns ? swapped : tf.slice(swapped, [0, from], [rows, width]);
    const { x, codes } = batch;
    // Elements of a vector are swapped one by one.
    const elements = realWidth(layout) - layout.numbers;
    const swappedValues = (): tf.Tensor =>
      elements === 0
        ? of(0, values)
        : tf.concat(
            [
              of(0, layout.numbers),
              random.bernoulli([rows, elements], swapRate),
              of(values - layout.booleans, layout.booleans),
            ].filter(({ shape }) => shape[1]! > 0),
            1,
          );
    return {
      ...clean,
      input: {
        ...clean.input,
        mask: swapCells(tf.step(batch.w), swapped),
        ...(x ? { x: swapCells(x, swappedValues()) } : {}),
        ...(codes
          ? { codes: tf.cast(swapCells(tf.cast(codes, 'float32'), of(values, columns - values)), 'int32') }
          : {}),
      },
    };
  },
});

export const run: StageRun<typeof train> = async (context, inputs, options) => {
  const { label } = options;
  if (label !== undefined)
    requireLabel('feature-extraction/train', await openDataset(context.artifacts, inputs.data), label);
  const exclude = label === undefined ? options.exclude : [...new Set([...options.exclude, label])];
  return features.train(
    context,
    inputs,
    { ...options, exclude, trainedOn: inputs.data.digest },
    { module: './train.ts', export: 'trainMember' },
  );
};

/** One network of an ensemble, in a process of its own. */
export const trainMember = features.trainMember;

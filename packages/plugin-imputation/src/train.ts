import { defineApplication, hideCells } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { train } from './index.ts';

/**
 * x with cells hidden → x: the net sees a row without some of its observed cells and is asked for those.
 * Source: ReMasker (Du, Melis, Wang: Remasker, Imputing Tabular Data with Masked Autoencoding. ICLR 2024).
 */
const imputation = defineApplication<z.output<typeof train.options>>({
  name: 'imputation',
  version: 1,
  readOut: { kind: 'fill', stage: 'imputation/impute', output: 'data' },
  validation: 'cells',
  example({ x, w, codes, cycles }, { random }, { maskRate }) {
    const [rows, columns] = w.shape as [number, number];
    const hidden = hideCells(random, rows, columns, maskRate);
    return {
      input: { x, mask: tf.mul(tf.step(w), tf.sub(1, hidden)), codes, cycles },
      target: { x, codes },
      weight: tf.mul(w, hidden),
    };
  },
});

export const run: StageRun<typeof train> = (context, inputs, options) =>
  imputation.train(context, inputs, options, { module: './train.ts', export: 'trainMember' });

/** One network of an ensemble, in a process of its own. */
export const trainMember = imputation.trainMember;

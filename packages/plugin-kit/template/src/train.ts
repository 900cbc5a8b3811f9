import { defineApplication, hideCells } from '@hourglass/autoencoder';
import type { StageRun } from '@hourglass/plugin-kit';
import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { train } from './index.ts';

/** x with some cells hidden → x: the network learns to tell each cell from the others. */
const application = defineApplication<z.output<typeof train.options>>({
  name: 'my-app',
  // Raise it when models trained before cannot be applied any more.
  version: 1,
  // Read-out: the stage that `hourglass apply MODEL TABLE` calls, and its output that answers.
  readOut: { kind: 'reconstruct', stage: 'my-app/apply', output: 'data' },
  example({ x, w, codes, cycles }, { random }, { hideRate }) {
    const [rows, columns] = w.shape as [number, number]; // [b, C]: a cell's weight where observed, 0 where missing
    const hidden = hideCells(random, rows, columns, hideRate); // randomness through `random` only: the seed says it all
    return {
      // Input: the row without the hidden cells.
      input: { x, mask: tf.mul(tf.step(w), tf.sub(1, hidden)), codes, cycles },
      // Target: the row as it is; `weight` says what each cell of it counts.
      target: { x, codes },
      weight: w,
    };
  },
  // Loss: `loss: (options) => ({ … })`. Left out: squared error for numbers, cross-entropy for booleans and categories.
});

export const run: StageRun<typeof train> = (context, inputs, options) =>
  application.train(context, inputs, options, { module: './train.ts', export: 'trainMember' });

/** One network of an ensemble, in a process of its own. */
export const trainMember = application.trainMember;

import { defineLatentApplication } from '@hourglass/autoencoder';
import type { StageOptions } from '@hourglass/core';
import type { StageRun } from '@hourglass/plugin-kit';
import type { train } from './index.ts';

/** x → x: the latent replaces the row, as principal components would. */
const reduction = defineLatentApplication<StageOptions<typeof train>>({
  name: 'dimensionality-reduction',
  version: 1,
  readOut: { kind: 'encode', stage: 'dimensionality-reduction/transform', output: 'data' },
});

export const run: StageRun<typeof train> = (context, inputs, options) =>
  reduction.train(context, inputs, options, { module: './train.ts', export: 'trainMember' });

/** One network of an ensemble, in a process of its own. */
export const trainMember = reduction.trainMember;

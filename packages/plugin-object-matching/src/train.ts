import { defineLatentApplication } from '@hourglass/autoencoder';
import type { StageOptions } from '@hourglass/core';
import type { StageRun } from '@hourglass/plugin-kit';
import type { train } from './index.ts';

/** x → x: distances among latents stand for likeness. A model alone encodes; an index matches. */
const matching = defineLatentApplication<StageOptions<typeof train>>({
  name: 'object-matching',
  version: 1,
  readOut: { kind: 'encode', stage: 'model/encode', output: 'data' },
});

export const run: StageRun<typeof train> = (context, inputs, options) =>
  matching.train(context, inputs, options, { module: './train.ts', export: 'trainMember' });

/** One network of an ensemble, in a process of its own. */
export const trainMember = matching.trainMember;

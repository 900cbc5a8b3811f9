import { defineLatentApplication } from '@hourglass/autoencoder';
import type { StageOptions } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import type { train } from './index.ts';
import { requireLabel } from './label.ts';

/** Options, and the table learned from: recorded in the model, so that testing on it can be refused. */
type Options = StageOptions<typeof train> & { trainedOn: string };

/** x with cells swapped among rows → x. */
const features = defineLatentApplication<Options>({
  name: 'feature-extraction',
  version: 1,
  readOut: { kind: 'encode', stage: 'feature-extraction/transform', output: 'data' },
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

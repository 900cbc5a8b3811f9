import { learnerMetrics, learnerOptions } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';

/** Learns how the cells of a row go together. Its code is in train.ts. */
export const train = defineStage({
  id: 'my-app/train',
  version: 1,
  summary: 'Learn how the cells of a row go together',
  inputs: { data: artifact.dataset('Rows to learn from') },
  outputs: { model: artifact.model('my-app'), metrics: artifact.metrics(learnerMetrics) },
  options: z.object({
    ...learnerOptions,
    hideRate: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('While learning, each row hides a share of its cells drawn from U(0, hideRate).'),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Gives each row as the model expects it. Its code is in apply.ts. */
export const apply = defineStage({
  id: 'my-app/apply',
  version: 1,
  summary: 'Give each row as the model expects it',
  inputs: { data: artifact.dataset(), model: artifact.model('my-app') },
  outputs: { data: artifact.dataset('Kept columns, then the learned ones as expected') },
  options: z.object({
    keep: z.array(z.string()).optional().describe('Columns that come along untouched. Default: those not learned.'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** How near the expected rows are, beside the simplest answer there is. Its code is in evaluate.ts. */
export const evaluate = defineStage({
  id: 'my-app/evaluate',
  version: 1,
  summary: 'Measure how near the expected rows are, beside column means',
  inputs: {
    data: artifact.dataset('Rows as the model expects them: of my-app/apply'),
    truth: artifact.dataset('The same rows as they are'),
  },
  outputs: {
    metrics: artifact.metrics(
      z.object({
        rmse: z.number().describe('Over all numeric cells, each column scaled to 0 … 1'),
        baselines: z.object({ mean: z.object({ rmse: z.number() }).describe('The mean of each column') }),
      }),
    ),
  },
  options: z.object({}),
});

export default definePlugin({
  name: 'my-app',
  summary: 'Rows as an autoencoder expects them',
  stages: { train, apply, evaluate },
});

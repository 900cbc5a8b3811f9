import { variationalOptions } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { BASELINES, evaluationMetrics, generatorMetrics, LEARNERS } from './metrics-schema.ts';

const engine = { engine: true, accelerator: 'preferred' } as const;
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Learns a table's distribution. */
export const train = defineStage({
  id: 'synthetic-data/train',
  version: 1,
  summary: 'Learn to draw rows like those of a table',
  inputs: { data: artifact.dataset('Rows to learn from; keep others aside to judge by') },
  outputs: { model: artifact.model('synthetic-data'), metrics: artifact.metrics(generatorMetrics) },
  options: z.object({
    ...variationalOptions,
    constraints: z
      .array(z.string())
      .default([])
      .describe(
        'Comparisons that hold in every row: `a <= b`, `a < b`, `a >= 0`. They must hold in the training rows.',
      ),
    combinations: z
      .array(z.array(z.string()).min(2))
      .default([])
      .describe('Columns whose values occur together only as in training: [[city, state]].'),
    unique: z
      .array(z.string())
      .default([])
      .describe('Ids: columns whose values are all different. They are made anew, never learned.'),
  }),
  resources: { ...engine, checkpoint: true },
});

/** Draws rows. */
export const sample = defineStage({
  id: 'synthetic-data/sample',
  version: 1,
  summary: 'Draw rows: with conditions, balanced, inside every constraint',
  inputs: { model: artifact.model('synthetic-data') },
  outputs: { data: artifact.dataset('Columns, types and order of the table learned from') },
  options: z.object({
    rows: z.int().min(1).optional().describe('How many rows. Default: as many as were learned from.'),
    where: z
      .record(
        z.string(),
        z.union([
          scalar,
          z.array(scalar).min(1),
          z.strictObject({ min: z.number().optional(), max: z.number().optional() }),
        ]),
      )
      .default({})
      .describe('Conditions by column: a value, one of several, or { min, max } of a number.'),
    balance: z.string().optional().describe('A column with classes: each becomes equally frequent.'),
    from: z
      .enum(['posterior', 'normal'])
      .default('posterior')
      .describe('Latents: from the mixture fitted on those of the training rows, or from N(0, I).'),
    copies: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('Rows equal to one that occurs once in training: drawn again, or let pass.'),
    elements: z
      .enum(['mean', 'drawn'])
      .default('mean')
      .describe(
        'Lists of numbers (pixels): the mean of each element given the latent, or drawn from its distribution.',
      ),
  }),
  resources: engine,
});

/** Rows as the model remembers them. */
export const reconstruct = defineStage({
  id: 'synthetic-data/reconstruct',
  version: 1,
  summary: 'Rows as their latents tell them',
  inputs: { data: artifact.dataset(), model: artifact.model('synthetic-data') },
  outputs: { data: artifact.dataset('The table, every learned cell as its row’s latent tells it') },
  options: z.object({}),
  resources: engine,
});

/** Ways between rows. */
export const interpolate = defineStage({
  id: 'synthetic-data/interpolate',
  version: 1,
  summary: 'Rows on the way from one row to another, through the latents',
  inputs: {
    data: artifact.dataset('The rows to go between: 1st to 2nd, 3rd to 4th …'),
    model: artifact.model('synthetic-data'),
  },
  outputs: { data: artifact.dataset('pair, step, share of the way, then the learned columns') },
  options: z.object({
    steps: z.int().min(2).max(1000).default(9).describe('Rows of a way, both ends among them.'),
    pairs: z.int().min(1).max(10_000).optional().describe('Ways at most. Default: all pairs of rows there are.'),
  }),
  resources: engine,
});

/** What drawn rows are worth. */
export const evaluate = defineStage({
  id: 'synthetic-data/evaluate',
  version: 1,
  summary: 'Measure drawn rows: likeness, usefulness, privacy, beside simple generators',
  inputs: {
    synthetic: artifact.dataset('The rows drawn'),
    train: artifact.dataset('The real rows learned from'),
    test: artifact.dataset('Real rows never learned from'),
    model: artifact.optional(artifact.model('synthetic-data', 'For the likelihood and the map of latents')),
  },
  outputs: {
    metrics: artifact.metrics(evaluationMetrics),
    figures: artifact.figures('Columns side by side, pair trends, latents, drawn pictures'),
  },
  options: z.object({
    label: z
      .string()
      .optional()
      .describe('Column with classes that learners predict: train on drawn rows, test on real.'),
    learners: z
      .array(z.enum(LEARNERS))
      .min(1)
      .default([...LEARNERS])
      .describe('Learners: logistic regression, random forest.'),
    baselines: z
      .array(z.enum(BASELINES))
      .default([...BASELINES])
      .describe('Generators to measure as well: Gaussian copula with empirical columns; columns drawn independently.'),
    exclude: z.array(z.string()).default([]).describe('Columns not to compare: ids, free text.'),
    categorical: z.array(z.string()).default([]).describe('Numbers that are names. Those of the model are known.'),
    maxRows: z.int().min(100).default(20_000).describe('Rows of each table at most, evenly spread.'),
    latents: z
      .int()
      .min(0)
      .max(100_000)
      .default(100)
      .describe('Latents drawn for each row of the likelihood; 0: it is not measured. Needs input model.'),
    likelihoodRows: z.int().min(1).default(500).describe('Rows of `test` whose likelihood is measured at most.'),
    picture: z
      .strictObject({
        width: z.int().min(1),
        height: z.int().min(1),
        channels: z.union([z.literal(1), z.literal(3)]).default(1),
      })
      .optional()
      .describe(
        'Size of the pictures that lists of numbers are, row by row, channels interleaved. Default: grey squares.',
      ),
  }),
  resources: engine,
});

export default definePlugin({
  name: 'synthetic-data',
  summary: 'Synthetic tables that pass for real, and what they are worth',
  stages: { train, sample, evaluate, reconstruct, interpolate },
});

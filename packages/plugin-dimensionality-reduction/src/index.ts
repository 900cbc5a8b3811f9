import { latentOptions, learnerMetrics } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { reductionMetrics } from './metrics-schema.ts';

const prefix = z.string().min(1).default('z_').describe('Names of the latent columns: PREFIX1, PREFIX2 …');

/** Learns a few dimensions that hold most of a table. */
export const train = defineStage({
  id: 'dimensionality-reduction/train',
  version: 1,
  summary: 'Learn a few dimensions that hold most of a table',
  inputs: { data: artifact.dataset() },
  outputs: { model: artifact.model('dimensionality-reduction'), metrics: artifact.metrics(learnerMetrics) },
  options: z.object({
    ...latentOptions,
    latentDim: latentOptions.latentDim.unwrap().default(8).describe('Dimensions the table is reduced to, d.'),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** The columns of a table replaced by latents, as PCA's `transform` replaces them by components. */
export const transform = defineStage({
  id: 'dimensionality-reduction/transform',
  version: 1,
  summary: 'Replace the learned columns by latents: z_1 … z_d beside ids',
  inputs: { data: artifact.dataset(), model: artifact.model('dimensionality-reduction') },
  outputs: { data: artifact.dataset('Kept columns, then one FLOAT column for each dimension') },
  options: z.object({
    keep: z
      .array(z.string())
      .optional()
      .describe('Columns that come along untouched. Default: those the model did not learn (ids, labels).'),
    dims: z
      .int()
      .min(1)
      .optional()
      .describe('The first so many dimensions, of a model trained with ordered: true. Default: all.'),
    prefix,
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Latents back to the columns they stand for. */
export const inverseTransform = defineStage({
  id: 'dimensionality-reduction/inverse-transform',
  version: 1,
  summary: 'Turn latents back into the columns they stand for',
  inputs: {
    data: artifact.dataset(
      'Latents z_1 … z_d, or the first of them where they are ordered; further columns come along',
    ),
    model: artifact.model('dimensionality-reduction'),
  },
  outputs: { data: artifact.dataset('Columns that came along, then the learned ones in their types') },
  options: z.object({
    prefix,
    exact: z
      .boolean()
      .default(false)
      .describe('Keep fractions in columns of whole numbers (as DOUBLE) and values out of the observed range.'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** What the reduction keeps, beside principal components of the same size. */
export const evaluate = defineStage({
  id: 'dimensionality-reduction/evaluate',
  version: 1,
  summary: 'Measure what the latents keep, beside PCA of the same size',
  inputs: {
    data: artifact.dataset('Rows to measure on: best such as the model has not seen'),
    model: artifact.model('dimensionality-reduction'),
    reference: artifact.optional(
      artifact.dataset(
        'The rows the model learned from: PCA is fitted on them, and neighbours are looked for among them. Default: `data`',
      ),
    ),
  },
  outputs: {
    metrics: artifact.metrics(reductionMetrics),
    figures: artifact.figures('Error by dimension beside PCA; the rows on a plane'),
  },
  options: z.object({
    dims: z
      .array(z.int().min(1))
      .min(1)
      .optional()
      .describe('Sizes to measure, of a model with ordered latents. Default: up to 16 of 1 … latentDim.'),
    scale: z
      .enum(['auto', 'standard', 'raw'])
      .default('auto')
      .describe(
        'Units of the squared error, for both: standard, each column by its deviation; raw, as in the table; auto, as the model learned (raw after normalisation: pooled).',
      ),
    clip: z.boolean().default(true).describe('Clip the answers of both to the range each column had in training.'),
    keepVariance: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.95)
      .describe('`smallest` is the first size that explains this share of the variance.'),
    label: z.string().optional().describe('Column with classes, not learned: scores nearest neighbours by it.'),
    learnedLabel: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('A label that the model learned from is a leak: refuse to score by it, or allow it.'),
    labelNeighbours: z.int().min(1).default(1).describe('Neighbours that vote for a class.'),
    neighbours: z.int().min(1).default(5).describe('Neighbours of trustworthiness and continuity.'),
    maxRows: z.int().min(2).default(20_000).describe('Rows measured at most, taken evenly.'),
    neighbourRows: z
      .int()
      .min(4)
      .default(1000)
      .describe(
        'Rows for trustworthiness, continuity and the map at most, taken evenly: their time grows with its square.',
      ),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

export default definePlugin({
  name: 'dimensionality-reduction',
  summary: 'Replace the columns of a table by a few latents, as principal components would',
  stages: { train, transform, 'inverse-transform': inverseTransform, evaluate },
});

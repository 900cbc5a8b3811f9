import { learnerMetrics, learnerOptions } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { BASELINES, imputationMetrics } from './metrics-schema.ts';

/** Hides observed cells, so that filling them can be scored against what they held. */
export const mask = defineStage({
  id: 'imputation/mask',
  version: 1,
  summary: 'Hide cells, to learn how well they are filled',
  inputs: { data: artifact.dataset() },
  outputs: {
    masked: artifact.dataset('The table with the cells missing; everything else as it was'),
    mask: artifact.dataset('Booleans, same rows and columns: true where a cell was hidden'),
  },
  options: z.object({
    rate: z
      .number()
      .gt(0, 'must be above 0: at 0 nothing is hidden')
      .lt(1, 'must be below 1: at 1 nothing is left to learn from')
      .default(0.2)
      .describe('Share of cells to hide'),
    mechanism: z
      .enum(['mcar', 'mar', 'mnar'])
      .default('mcar')
      .describe('mcar: at random; mar: other columns decide; mnar: the cell’s own value decides'),
    columns: z.array(z.string()).min(1).optional().describe('Columns to hide cells of; all when left out'),
    exclude: z.array(z.string()).default([]).describe('Columns to leave whole'),
  }),
});

/** Learns to fill missing cells of a table from its observed ones. */
export const train = defineStage({
  id: 'imputation/train',
  version: 1,
  summary: 'Learn to fill missing cells',
  inputs: { data: artifact.dataset() },
  outputs: { model: artifact.model('imputation'), metrics: artifact.metrics(learnerMetrics) },
  options: z.object({
    ...learnerOptions,
    skip: learnerOptions.skip
      .unwrap()
      .default('gaussian')
      .describe(
        'What the net corrects: gaussian, the conditional mean of a normal fitted to the table (a ridge regression on whatever cells a row has, its ridge chosen by hidden cells where rows are few for the columns); linear, a learned linear map; none.',
      ),
    maskRate: z
      .number()
      .gt(0, 'must be above 0: the net learns from cells that are hidden from it')
      .max(1)
      .default(0.5)
      .describe('While training, each row hides a share of its observed cells drawn from U(0, maskRate).'),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Fills missing cells by a trained model. */
export const impute = defineStage({
  id: 'imputation/impute',
  version: 1,
  summary: 'Fill missing cells by a trained model',
  inputs: { data: artifact.dataset(), model: artifact.model('imputation') },
  outputs: {
    data: artifact.dataset(
      'The table without missing cells in learned columns; with draws, that many in parts draw=1 …',
    ),
  },
  options: z.object({
    refine: z.int().min(0).max(20).default(0).describe('Rounds in which filled cells are fed back to the net'),
    draws: z
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        'Multiple imputation: so many completed tables of plausible values instead of one of likeliest ones, one after the other with a column `draw` (1 …). 0: one table.',
      ),
    flags: z.boolean().default(false).describe('Add a boolean column NAME_imputed for each column with filled cells'),
    exact: z
      .boolean()
      .default(false)
      .describe('Keep fractions in columns of whole numbers (they become DOUBLE), for scores and research'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Scores filled cells. */
export const evaluate = defineStage({
  id: 'imputation/evaluate',
  version: 1,
  summary: 'Score filled cells against the truth and against simple methods',
  inputs: {
    imputed: artifact.dataset(),
    truth: artifact.dataset('The table before cells were hidden'),
    mask: artifact.dataset('`mask` of imputation/mask'),
  },
  outputs: { metrics: artifact.metrics(imputationMetrics) },
  options: z.object({
    baselines: z
      .array(z.enum(BASELINES))
      .default(['mean', 'knn'])
      .describe('Methods to score on the same cells: column statistics, 5 nearest neighbours, chained equations'),
    categorical: z
      .array(z.string())
      .default([])
      .describe('Numeric columns whose values are names, not amounts: scored by accuracy, as in imputation/train'),
    maxRows: z
      .int()
      .min(2)
      .default(20_000)
      .describe('Rows to score, taken evenly; k-NN’s time grows with their square'),
  }),
});

export default definePlugin({
  name: 'imputation',
  summary: 'Fill missing cells with a masked autoencoder',
  stages: { mask, train, impute, evaluate },
});

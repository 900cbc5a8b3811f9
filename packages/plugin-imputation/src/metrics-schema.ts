import { z } from 'zod';

export const BASELINES = ['mean', 'median', 'mode', 'knn', 'ice'] as const;
export type Baseline = (typeof BASELINES)[number];

const score = z.object({
  rmse: z.number().nullable().describe('Over hidden numeric cells, columns min-max scaled by the truth'),
  mae: z.number().nullable().describe('On the same scale'),
  r2: z.number().nullable().describe('Mean over columns, weighed by hidden cells'),
  accuracy: z.number().nullable().describe('Share of hidden categories and booleans that were met'),
});
export type ImputationScore = z.infer<typeof score>;

/** What `imputation/evaluate` gives; null where a table has no such cells. */
export const imputationMetrics = score.extend({
  cells: z.int().describe('Hidden cells scored'),
  columns: z.record(z.string(), score.extend({ cells: z.int() })).describe('By column, where cells were hidden'),
  baselines: z
    .object({
      mean: score.optional(),
      median: score.optional(),
      mode: score.optional(),
      knn: score.optional(),
      ice: score.optional(),
    })
    .describe('The same score of simple methods on the same cells'),
});
export type ImputationMetrics = z.infer<typeof imputationMetrics>;

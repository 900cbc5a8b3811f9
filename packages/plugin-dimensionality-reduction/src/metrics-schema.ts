import { z } from 'zod';

const reconstruction = {
  squaredError: z.number().describe('Squared error of a row, summed over its numbers, mean over rows'),
  explainedVariance: z.number().nullable().describe('1 − squared error / squared distance from the column means'),
};

const neighbourhood = {
  trustworthiness: z
    .number()
    .nullable()
    .describe('Neighbours among the latents are neighbours in the table; 1 is best'),
  continuity: z.number().nullable().describe('Neighbours in the table are neighbours among the latents; 1 is best'),
  knnAccuracy: z.number().nullable().describe('Classes told right by the nearest neighbours; null without `label`'),
};

/** What `dimensionality-reduction/evaluate` gives. */
export const reductionMetrics = z.object({
  d: z.int().describe('Size of the latent'),
  rows: z.int().describe('Rows measured'),
  columns: z.int().describe('Numeric columns and elements of vectors the error is summed over'),
  ...reconstruction,
  ...neighbourhood,
  worstRatio: z
    .number()
    .nullable()
    .describe('Largest squared error / squared error of PCA over the sizes measured: below 1, PCA is beaten at each'),
  smallest: z
    .int()
    .nullable()
    .describe('First size measured that explains `keepVariance` of the variance; null when none does'),
  baselines: z.object({
    pca: z
      .object({ ...reconstruction, ...neighbourhood, smallest: z.int().nullable() })
      .describe('Principal components of the same size, in the same units, with the same clipping'),
  }),
  curve: z.array(z.object({ d: z.int(), ...reconstruction, pca: z.object(reconstruction) })).describe('By size, both'),
});
export type ReductionMetrics = z.infer<typeof reductionMetrics>;

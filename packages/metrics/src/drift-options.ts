import { z } from 'zod';

/** Limits of every stage that judges drift. */
export const driftLimits = {
  psi: z.number().gt(0).default(0.2).describe('Largest population stability index of a column that is no drift'),
  ks: z.number().gt(0).max(1).default(0.2).describe('Largest difference of a column’s distributions that is no drift'),
  missing: z.number().gt(0).max(1).default(0.1).describe('Largest change of the share missing that is no drift'),
  unseen: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('Largest share of values outside the former range or categories that is no drift'),
};

/** What such a stage says of one column. */
export const columnDriftMetrics = z.object({
  psi: z.number().describe('Population stability index over ten bins, or the categories'),
  ks: z.number().describe('Largest difference of the distributions'),
  missing: z.number().describe('Change of the share missing'),
  unseen: z.number().describe('Share of values outside of the range, or of categories, of before'),
});

/** What such a stage says. */
export const driftMetrics = z.object({
  drifted: z.boolean().describe('A column is beyond a limit, or there is nothing to compare with yet'),
  reason: z.string(),
  maxPsi: z.number(),
  maxKs: z.number(),
  beyond: z.int().describe('Columns beyond a limit'),
  columns: z.record(z.string(), columnDriftMetrics).describe('The most drifted, a hundred at most'),
});

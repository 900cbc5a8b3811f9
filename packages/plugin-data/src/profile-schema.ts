import { z } from 'zod';

/** Column profile, so that gates and conditions can name what it holds. */
export const profileSchema = z.object({
  rows: z.int(),
  columns: z.record(
    z.string(),
    z.object({
      type: z.string(),
      physical: z.string(),
      missing: z.number().describe('NULL or NaN cells'),
      infinite: z.number().optional(),
      distinct: z.number().optional(),
      distinctEstimated: z.boolean().optional(),
      min: z.union([z.number(), z.string()]).optional(),
      max: z.union([z.number(), z.string()]).optional(),
      mean: z.number().optional(),
      std: z.number().optional(),
      quantiles: z
        .object({
          p01: z.number(),
          p05: z.number(),
          p25: z.number(),
          p50: z.number(),
          p75: z.number(),
          p95: z.number(),
          p99: z.number(),
        })
        .optional(),
      quantilesSampled: z.boolean().optional(),
      top: z.array(z.object({ value: z.string(), count: z.number() })).optional(),
    }),
  ),
  quarantined: z
    .object({
      rows: z.int().describe('Rows set aside'),
      share: z.number().describe('Of all rows read'),
      rules: z.record(z.string(), z.int()).describe('Rows that broke each rule'),
    })
    .describe('Zero where no contract was broken'),
  columnsLeftOut: z.int().optional().describe('Columns beyond what metrics can hold'),
});

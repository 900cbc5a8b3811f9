import { z } from 'zod';

const bound = z.union([z.number(), z.string()]);
const columnList = z.array(z.string().min(1)).min(1);

/** What a dataset must keep to; rules about cells pass over missing ones, except `notNull`. */
export const contractSchema = z.strictObject({
  minRows: z.int().min(0).optional().describe('Fewest rows'),
  maxRows: z.int().min(0).optional().describe('Most rows'),
  types: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Type of columns: float, integer, number (either), boolean, string, date, timestamp, time, …, or a physical one such as DECIMAL(10,2)',
    ),
  ranges: z
    .record(
      z.string(),
      z
        .strictObject({ min: bound.optional(), max: bound.optional() })
        .refine(({ min, max }) => min !== undefined || max !== undefined, 'expected min, max or both'),
    )
    .optional()
    .describe('Lowest and highest value of columns, both allowed; points in time as text'),
  values: z
    .record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean()])).min(1))
    .optional()
    .describe('The only values columns may hold'),
  notNull: columnList.optional().describe('Columns without missing cells (NaN is missing)'),
  unique: z
    .array(z.union([z.string().min(1), columnList]))
    .min(1)
    .optional()
    .describe('Columns, or lists of columns together, whose values never repeat'),
  finite: columnList.optional().describe('Columns without ±Infinity'),
});

import { z } from 'zod';

/** Options that say which rows are normal, where a table knows. */
export const labelOptions = {
  label: z
    .string()
    .optional()
    .describe('Column that says what a row is. It is never learned; without it every row counts as normal.'),
  normal: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(1)
    .optional()
    .describe('Values of `label` that mean a normal row.'),
};

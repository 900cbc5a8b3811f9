import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and _, not beginning with a digit');

export const sql = defineStage({
  id: 'data/sql',
  version: 1,
  summary: 'Ask tables in SQL',
  inputs: {
    a: artifact.dataset('The table `a` of the query'),
    b: artifact.optional(artifact.dataset('The table `b`')),
    c: artifact.optional(artifact.dataset('The table `c`')),
    d: artifact.optional(artifact.dataset('The table `d`')),
    e: artifact.optional(artifact.dataset('The table `e`')),
    f: artifact.optional(artifact.dataset('The table `f`')),
  },
  outputs: {
    data: artifact.dataset('The rows of the result in its order'),
    metrics: artifact.metrics(z.object({ rows: z.int(), columns: z.int() })),
  },
  options: z.object({
    sql: z
      .string()
      .min(1)
      .describe('One SELECT in DuckDB’s SQL over the inputs a, b, c …; no files, nothing that depends on the moment'),
    names: z
      .partialRecord(z.enum(['a', 'b', 'c', 'd', 'e', 'f']), name)
      .default({})
      .describe('Other names for the inputs in the query: {a: customers, b: orders}'),
    partitionBy: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('One part for each combination of values of these columns'),
    allowEmpty: z.boolean().default(false).describe('Whether a result without rows is one; otherwise the stage fails'),
  }),
});

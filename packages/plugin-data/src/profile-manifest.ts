import { artifact, defineStage } from '@hourglass/core';
import { columnDriftMetrics, driftLimits, driftMetrics } from '@hourglass/metrics/drift-options';
import { z } from 'zod';

const names = z.array(z.string().min(1));
const bound = z.union([z.number(), z.string()]).optional();

export const profile = defineStage({
  id: 'data/profile',
  version: 1,
  summary: 'Compare a table with an earlier one: columns, types, ranges, missing cells, distributions',
  inputs: {
    data: artifact.dataset('The table of today'),
    reference: artifact.optional(
      artifact.dataset('The table to compare with; without it everything counts as drifted'),
    ),
  },
  outputs: {
    metrics: artifact.metrics(
      driftMetrics.extend({
        rows: z.int(),
        referenceRows: z.int().describe('0 without a reference'),
        compared: z.int().describe('Columns that both have'),
        missingColumns: z.array(z.string()).describe('Columns of the reference that are gone'),
        newColumns: z.array(z.string()).describe('Columns that the reference has not'),
        typeChanges: z.array(z.object({ column: z.string(), from: z.string(), to: z.string() })),
        columns: z
          .record(
            z.string(),
            columnDriftMetrics.extend({ min: bound, max: bound, referenceMin: bound, referenceMax: bound }),
          )
          .describe('The most drifted, a hundred at most'),
        sampled: z.boolean().describe('Distributions are those of maxRows rows, taken evenly; the rest is exact'),
      }),
    ),
  },
  options: z.object({
    columns: names.min(1).optional().describe('Columns to compare; all when left out'),
    exclude: names.default([]).describe('Columns to leave out'),
    ...driftLimits,
    ignoreNewColumns: z.boolean().default(false).describe('Whether columns that the reference has not are no drift'),
    maxRows: z.int().min(100).default(200_000).describe('Rows of each table whose distributions are compared at most'),
  }),
});

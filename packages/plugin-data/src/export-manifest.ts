import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

export const exportStage = defineStage({
  id: 'data/export',
  version: 1,
  summary: 'Write a dataset to a file',
  inputs: { data: artifact.dataset('Rows to write') },
  outputs: {
    written: artifact.metrics(
      z.object({ rows: z.int(), columns: z.int(), bytes: z.int(), digest: z.string(), format: z.string() }),
      'What was written',
    ),
  },
  options: z.object({
    uri: z.string().min(1).describe('File to write; a relative path goes under --out'),
    format: z.enum(['parquet', 'csv']).optional().describe('Default: by the ending of the file'),
    allowPartial: z.boolean().default(false).describe('Write a dataset some of whose parts are missing'),
  }),
  sinks: ['uri'],
});

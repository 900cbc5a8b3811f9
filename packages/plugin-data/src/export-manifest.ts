import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';
import { ENDING_EXPECTED, formatOf } from './export-format.ts';

const names = z.array(z.string().min(1));

export const exportStage = defineStage({
  id: 'data/export',
  version: 3,
  summary: 'Write a dataset to a file, or by partition to a folder',
  inputs: { data: artifact.dataset('Rows to write') },
  outputs: {
    written: artifact.metrics(
      z.object({
        rows: z.int(),
        columns: z.int(),
        bytes: z.int(),
        digest: z.string(),
        format: z.string(),
        partitions: z.int().describe('Written or found unchanged; 0 where one file is written'),
        unchanged: z.int().describe('Partitions that were there already, byte for byte'),
      }),
      'What was written',
    ),
  },
  options: z
    .object({
      uri: z
        .string()
        .min(1)
        .describe('File to write, or folder where `partitionBy` is given; a relative path goes under --out'),
      partitionBy: names
        .min(1)
        .optional()
        .describe('Write a folder of Parquet files, one for each combination of these columns: day=2024-01-01/…'),
      mode: z
        .enum(['replace', 'append'])
        .default('replace')
        .describe(
          'With partitionBy. replace: the folder holds just this dataset. append: its partitions are put in, others stay',
        ),
      format: z
        .enum(['parquet', 'csv', 'arrow'])
        .optional()
        .describe('Default: by the ending of the file (.parquet, .csv, .arrow, .feather)'),
      codec: z
        .enum(['duckdb', 'parquetjs'])
        .default('duckdb')
        .describe('What writes Parquet: DuckDB (zstd), or the slower parquetjs in pure JavaScript (gzip)'),
      columns: names.min(1).optional().describe('Columns to write, in this order; all when left out'),
      exclude: names.default([]).describe('Columns to leave out'),
      allowPartial: z.boolean().default(false).describe('Write a dataset some of whose parts are missing'),
    })
    .refine(({ uri, format, partitionBy }) => (format ?? partitionBy ?? formatOf(uri)) !== undefined, {
      path: ['uri'],
      message: ENDING_EXPECTED,
    }),
  sinks: ['uri'],
});

import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';
import { contractSchema } from './contract-schema.ts';
import { profileSchema } from './profile-schema.ts';

const columns = z.array(z.string().min(1)).min(1);

export const ingest = defineStage({
  id: 'data/ingest',
  version: 1,
  summary: 'Read Parquet, CSV, Arrow, JSON lines or idx, check the contract and profile the columns',
  inputs: {},
  outputs: {
    data: artifact.dataset('The rows in the order of the files'),
    quarantined: artifact.dataset(
      'Rows set aside as they came, with their number in `_row` and the rules they broke in `_broken`; no rows otherwise',
    ),
    profile: artifact.metrics(profileSchema, 'What each column holds'),
  },
  options: z.object({
    uri: z
      .string()
      .min(1)
      .describe(
        'File, folder or glob to read, relative to the pipeline file; s3://bucket/…; npm://NAME@VERSION/PATH, fetched by npm on first use',
      ),
    format: z
      .enum(['parquet', 'csv', 'arrow', 'jsonl', 'idx'])
      .optional()
      .describe('Format of the files; found out by name and content when left out'),
    codec: z
      .enum(['duckdb', 'parquetjs'])
      .default('duckdb')
      .describe('What reads Parquet: DuckDB, or the slower parquetjs in pure JavaScript'),
    csv: z
      .strictObject({
        delimiter: z.string().length(1).optional().describe('Character between values; found out when left out'),
        header: z.boolean().optional().describe('Whether the first line names the columns; found out when left out'),
        missing: z
          .array(z.string())
          .min(1)
          .optional()
          .describe('Texts that mean a missing value; the empty text when left out'),
        encoding: z
          .enum(['utf-8', 'utf-16', 'latin-1'])
          .optional()
          .describe('How the text is encoded; utf-8 when left out'),
        decimal: z.enum(['.', ',']).optional().describe('Mark before the fractions of numbers; "." when left out'),
        types: z
          .record(z.string(), z.string())
          .optional()
          .describe('Physical types of columns, such as VARCHAR or DECIMAL(10,2)'),
      })
      .optional()
      .describe('How CSV files are written'),
    columns: columns.optional().describe('Columns to keep, in this order; all when left out'),
    exclude: z.array(z.string().min(1)).default([]).describe('Columns to leave out'),
    where: z
      .string()
      .min(1)
      .optional()
      .describe('Condition in SQL over the columns of the source: rows for which it is not true are left out'),
    sample: z
      .union([z.strictObject({ fraction: z.number().gt(0).lte(1) }), z.strictObject({ rows: z.int().min(1) })])
      .optional()
      .describe(
        'Keep a share of the rows ({fraction: 0.1}) or a number of them ({rows: 1000}), drawn by the seed of the stage',
      ),
    unify: z
      .enum(['strict', 'widen'])
      .default('strict')
      .describe('strict: all files have the same columns. widen: joined by name, types widened where nothing is lost'),
    hive: z.boolean().default(true).describe('Read folders called name=value as columns'),
    partitionBy: columns.optional().describe('One part for each combination of values of these columns'),
    contract: contractSchema
      .optional()
      .describe('What the rows must keep to; the stage fails with the first rows that do not'),
    onViolation: z
      .enum(['fail', 'quarantine'])
      .default('fail')
      .describe('fail: a broken contract stops the stage. quarantine: rows that break it are set aside'),
    quarantineLimit: z.number().min(0).max(1).default(0.1).describe('Largest share of rows that may be set aside'),
    profile: z
      .boolean()
      .default(true)
      .describe('Whether to profile the columns; without it the profile holds the number of rows only'),
  }),
  sources: ['uri'],
});

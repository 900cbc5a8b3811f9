import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

export const pixels = defineStage({
  id: 'data/pixels',
  version: 1,
  summary: 'Turn pictures of one size into rows of numbers, which every learner of tables takes',
  inputs: { data: artifact.dataset('With a column of encoded pictures, all of one size') },
  outputs: {
    data: artifact.dataset(
      '`pixels`, a list of numbers 0 … 1 (or a column a pixel), and `path`, the name of the picture, in its place; the other columns as they are',
    ),
    metrics: artifact.metrics(
      z.object({
        images: z.int(),
        height: z.int(),
        width: z.int(),
        channels: z.int().describe('1: grey, 3: rgb'),
      }),
      'Size of the pictures, for `shape` of the learners',
    ),
  },
  options: z.object({
    column: z.string().optional().describe('Column that holds the pictures. Default: the one that does'),
    channels: z
      .enum(['grey', 'rgb'])
      .default('grey')
      .describe('grey: one number a pixel, which `warp` of the learners needs. rgb: three, side by side'),
    layout: z
      .enum(['list', 'columns'])
      .default('list')
      .describe(
        'list: one column `pixels`, row by row. columns: `pixel_ROW_COLUMN`, for learners that take no lists (anomaly-detection, imputation, denoising of tables)',
      ),
  }),
});

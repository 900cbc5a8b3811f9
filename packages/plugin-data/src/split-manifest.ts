import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

export const split = defineStage({
  id: 'data/split',
  version: 1,
  summary: 'Divide rows into train, validation and test',
  inputs: { data: artifact.dataset('Rows to divide') },
  outputs: {
    train: artifact.dataset('Rows that are in neither of the others'),
    validation: artifact.dataset('Rows for choosing; none unless `validation` is given'),
    test: artifact.dataset('Rows kept aside for the final score'),
    counts: artifact.metrics(
      z.object({ train: z.int(), validation: z.int(), test: z.int() }),
      'Rows of each, for gates',
    ),
  },
  options: z.object({
    method: z
      .enum(['random', 'stratified', 'group', 'time'])
      .default('random')
      .describe(
        'random: rows at random. stratified: the same share of each value of `by` everywhere. group: rows with the same ' +
          '`by` stay together. time: the latest rows of `by` are the test',
      ),
    by: z.string().min(1).optional().describe('Column that stratified, group and time go by'),
    test: z.number().gt(0).lt(1).default(0.2).describe('Share of the rows that become the test'),
    validation: z.number().min(0).lt(1).default(0).describe('Share of the rows that become the validation'),
  }),
});

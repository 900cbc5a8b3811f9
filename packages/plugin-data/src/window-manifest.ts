import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

const names = z.array(z.string().min(1)).min(1);
const time = z.string().min(1).describe('Column that orders the rows: dates, timestamps or numbers');
const by = names.optional().describe('Columns whose values tell series apart; one series when left out');

export const window = defineStage({
  id: 'data/window',
  version: 1,
  summary: 'Cut time series into windows, one row each',
  inputs: { data: artifact.dataset('Rows with a time; they may come in any order') },
  outputs: {
    data: artifact.dataset(
      'One row a window: keys, window_start, window_end, window_first, window_last, then NAME_0, NAME_1 … of each column. When a window was is seldom what to learn: exclude the four from learning',
    ),
    metrics: artifact.metrics(
      z.object({
        windows: z.int(),
        series: z.int(),
        runs: z.int().describe('Runs of rows without a gap'),
        uncovered: z.int().describe('Rows in no window'),
      }),
    ),
  },
  options: z.object({
    time,
    by,
    columns: names
      .optional()
      .describe('Columns that go into windows; every column of numbers but `time` and `by` when left out'),
    length: z.int().min(1).max(4096).describe('Rows of a window'),
    stride: z
      .int()
      .min(1)
      .optional()
      .describe('Rows from one window’s beginning to the next’s; the length when left out, so that none overlap'),
    maxGap: z
      .union([
        z.number().positive(),
        z.string().regex(/^(\d+(\.\d+)?(ms|s|m|h|d))+$/, 'must be a duration such as 1h30m'),
      ])
      .optional()
      .describe('Largest step of time within a window: a duration such as 1h of dates, a number of numbers'),
  }),
});

export const unwindow = defineStage({
  id: 'data/unwindow',
  version: 1,
  summary: 'Bring scores of windows back to the rows they were cut from',
  inputs: {
    data: artifact.dataset('The rows that data/window read'),
    windows: artifact.dataset('The windows, with columns added to them'),
  },
  outputs: { data: artifact.dataset('The rows with those columns; missing where no window covers a row') },
  options: z.object({
    time,
    by,
    columns: names.describe('Columns of the windows to bring back, such as a score'),
    how: z
      .enum(['mean', 'max', 'min'])
      .default('mean')
      .describe('What the windows that cover a row make of their values'),
  }),
});

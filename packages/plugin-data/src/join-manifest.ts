import { artifact, defineStage } from '@hourglass/core';
import { z } from 'zod';

const names = z.array(z.string().min(1)).min(1);

export const join = defineStage({
  id: 'data/join',
  version: 1,
  summary: 'Add the columns of one table to the rows of another by key',
  inputs: {
    left: artifact.dataset('The rows: their values, order and parts stay'),
    right: artifact.dataset('The table whose columns are added'),
  },
  outputs: {
    data: artifact.dataset(),
    metrics: artifact.metrics(
      z.object({
        rows: z.int(),
        leftRows: z.int(),
        rightRows: z.int(),
        matched: z.int().describe('Left rows that found a match'),
        matchedShare: z.number().describe('Of all left rows'),
        unusedRight: z.int().describe('Right rows that no left row matches'),
      }),
    ),
  },
  options: z.object({
    on: z
      .union([names, z.strictObject({ left: names, right: names })])
      .describe('Key columns, or {left: [...], right: [...]} where their names differ'),
    how: z
      .enum(['inner', 'left'])
      .default('inner')
      .describe('inner: rows that find a match. left: all left rows, cells missing where there is none'),
    relationship: z
      .enum(['one-to-one', 'many-to-one', 'one-to-many', 'many-to-many'])
      .default('many-to-one')
      .describe('Which side may hold a key several times; what the other side repeats is an error'),
    columns: names.optional().describe('Columns of the right to add; all when left out'),
    suffix: z.string().min(1).optional().describe('Put behind a right column’s name that the left has as well'),
    minMatched: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('Smallest share of left rows that must find a match; when left out, at least one row'),
  }),
});

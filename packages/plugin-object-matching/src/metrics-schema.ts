import { z } from 'zod';

export const indexMetrics = z.object({
  objects: z.int().describe('Objects in the index'),
  d: z.int().describe('Dimensions compared'),
  search: z.enum(['exact', 'approximate']),
  bytes: z.int().describe('Size of the index with its model'),
});

export const growMetrics = z.object({
  chosen: z.int().describe('First size that reaches the level; the best one when none does'),
  reached: z.boolean().describe('Whether the level was reached'),
  separation: z.number().describe('Share of distorted objects that find themselves, at the chosen size'),
  objects: z.int().describe('Objects looked at'),
  curve: z
    .array(
      z.object({
        d: z.int(),
        separation: z.number().describe('Mean over the distortions'),
        distortions: z.record(z.string(), z.number()).describe('By distortion'),
        pca: z.number().describe('Of principal components of the same size'),
      }),
    )
    .describe('By size, up to the chosen one'),
  confused: z
    .array(z.object({ object: z.string(), takenFor: z.string(), times: z.int() }))
    .describe('Objects still taken for others at the chosen size, the most frequent first, at most 20'),
  baselines: z.object({ pca: z.object({ separation: z.number() }) }).describe('At the chosen size'),
});
export type GrowMetrics = z.infer<typeof growMetrics>;

const scores = {
  accuracy: z.number().nullable().describe('Queries whose nearest object is of their class; null without `label`'),
  precisionAtK: z
    .number()
    .nullable()
    .describe('Share of the k nearest that are of the query’s class; null without `label`'),
  recallAt1: z.number().nullable().describe('Distorted gallery objects that find themselves; null without distortion'),
};

export const matchingMetrics = z.object({
  d: z.int().describe('Dimensions compared'),
  objects: z.int(),
  queries: z.int(),
  k: z.int(),
  ...scores,
  recallAt10: z
    .number()
    .nullable()
    .describe('Share of the exact 10 nearest that an approximate index finds; null of an exact one'),
  distortions: z.record(z.string(), z.number()).describe('recallAt1 by distortion'),
  baselines: z.object({
    pca: z.object(scores).describe('Principal components of the same size'),
    raw: z.object(scores).describe('All numeric columns'),
  }),
});
export type MatchingMetrics = z.infer<typeof matchingMetrics>;

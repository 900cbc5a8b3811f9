import { learnerMetrics } from '@hourglass/autoencoder/options';
import { z } from 'zod';

/** What `synthetic-data/train` gives. */
export const generatorMetrics = learnerMetrics.omit({ members: true }).extend({
  activeDims: z.number().describe('Latent dimensions that tell rows apart (variance of their means above 0.01).'),
  components: z.number().describe('Components of the mixture that latents are drawn from.'),
});

export const LEARNERS = ['logistic', 'forest'] as const;
export type Learner = (typeof LEARNERS)[number];
export const BASELINES = ['copula', 'independent'] as const;
export type Baseline = (typeof BASELINES)[number];

const utility = z.partialRecord(z.enum(LEARNERS), z.number());
export type Utility = z.infer<typeof utility>;

const closest = z.object({
  share: z.number().describe('Drawn rows nearer to rows learned from than to as many rows never seen; 0.5 by chance'),
  low: z.number(),
  high: z.number().describe('low … high: where the share lies in 95 of 100 cases'),
  rows: z.int(),
  median: z.number().describe('Median distance of a drawn row to the closest row learned from'),
  realMedian: z.number().describe('The same of rows never seen'),
});
export type Closest = z.infer<typeof closest>;

/** What a way of making rows is worth. */
const worth = z.object({
  shapes: z.number().describe('SDMetrics’ Column Shapes, 0 … 1'),
  pairs: z.number().describe('SDMetrics’ Column Pair Trends over pairs that hang together in the real table, 0 … 1'),
  allPairs: z.number().describe('The same over all pairs'),
  quality: z.number().describe('Mean of shapes and pairs: the score of SDMetrics’ quality report'),
  utility: utility.describe('Learners fitted on these rows, tested on real ones; empty without a label'),
  discriminator: z.number().describe('AUROC of a forest that tells these rows from real ones; 0.5: it cannot'),
  closest,
  copies: z.int().describe('Rows equal to a row learned from'),
  nullGap: z.number().describe('Largest difference of a column’s share missing'),
});
export type Worth = z.infer<typeof worth>;

/** What `synthetic-data/evaluate` gives. */
export const evaluationMetrics = worth.extend({
  rows: z.int(),
  test: z.int(),
  scoredBy: z.enum(['auroc', 'accuracy', 'none']).describe('What utility is: auroc of two classes, accuracy of more'),
  real: utility.describe('The same learners fitted on the real rows'),
  repeats: z.int().describe('Rows never seen that equal a row learned from: what a table repeats by itself'),
  baselines: z
    .partialRecord(z.enum(BASELINES), worth)
    .describe('The same of simple generators fitted on the same rows'),
  columns: z.record(z.string(), z.number()).describe('Shape score of each column'),
  likelihood: z
    .object({
      nats: z.number().describe('Importance-weighted bound of −log p(row), latents from N(0, I), mean over the rows'),
      mixtureNats: z
        .number()
        .describe('The same, latents from the mixture fitted on those of the training rows: what `sample` draws from'),
      error: z.number().describe('Standard error of that mean'),
      latents: z.int().describe('Latents drawn for each row'),
      rows: z.int().describe('Rows of test measured: those whose every cell the model can tell'),
    })
    .nullable()
    .describe('How likely rows never seen are to the model; null without one'),
});
export type EvaluationMetrics = z.infer<typeof evaluationMetrics>;
export type Likelihood = NonNullable<EvaluationMetrics['likelihood']>;

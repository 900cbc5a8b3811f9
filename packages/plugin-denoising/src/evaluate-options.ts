import { imageLearnerOptions, selfEnsemble } from '@hourglass/autoencoder/image-options';
import { z } from 'zod';
import { optionsOfEither } from './either-options.ts';
import { noiseOptions } from './noise-options.ts';

export const BASELINES = ['gaussian', 'median', 'tv', 'pca-wiener'] as const;
export type Baseline = (typeof BASELINES)[number];
export const ROW_BASELINES = ['pca-wiener', 'knn', 'moving-median'] as const;
export type RowBaseline = (typeof ROW_BASELINES)[number];

const noise = noiseOptions.noise.unwrap().optional().describe('Default: the noise the model was trained with');
const level = noiseOptions.level
  .unwrap()
  .optional()
  .describe('Default: the level (or the middle of the range) it was trained with');

/** Which column of a dataset, for every stage over pictures. */
export const { column } = imageLearnerOptions;

const comparing = 'Methods to compare with; each is tried at several strengths and the best on these data counts';

export const pictureEvaluateOptions = {
  column,
  selfEnsemble,
  noise,
  level,
  baselines: z
    .array(z.enum(BASELINES))
    .default([...BASELINES])
    .describe(comparing),
  maxImages: z.int().min(1).default(500).describe('Pictures measured at most, the first ones'),
} as const;

export const tableEvaluateOptions = {
  noise,
  level,
  baselines: z
    .array(z.enum(ROW_BASELINES))
    .default([...ROW_BASELINES])
    .describe(comparing),
  maxRows: z.int().min(2).default(5000).describe('Rows measured at most, the first ones'),
} as const;

/** Of either kind. */
export const evaluateOptions = {
  ...optionsOfEither(pictureEvaluateOptions, tableEvaluateOptions),
  baselines: z
    .array(z.enum([...BASELINES, 'knn', 'moving-median']))
    .optional()
    .describe(`${comparing}. Default: ${BASELINES.join(', ')} for pictures, ${ROW_BASELINES.join(', ')} for tables.`),
} as const;

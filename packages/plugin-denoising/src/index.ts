import { imageLearnerMetrics, imageLearnerOptions } from '@hourglass/autoencoder/image-options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { denoisingMetrics } from './metrics-schema.ts';
import { noiseOptions } from './noise-options.ts';

const column = z.string().optional().describe('Column that holds the pictures. Default: the one that does.');

/** Learns what noise looks like. */
export const train = defineStage({
  id: 'denoising/train',
  version: 1,
  summary: 'Learn to tell a picture from the noise on it',
  inputs: { data: artifact.dataset('Clean pictures; with objective noise2void the noisy ones themselves') },
  outputs: { model: artifact.model('denoising'), metrics: artifact.metrics(imageLearnerMetrics) },
  options: z.object({
    ...imageLearnerOptions,
    ...noiseOptions,
    objective: z
      .enum(['clean', 'noise2void'])
      .default('clean')
      .describe(
        'clean: noise is added to clean pictures. noise2void: there are none; hidden pixels are guessed from the noisy ones around them.',
      ),
    levelMap: z
      .boolean()
      .default(false)
      .describe('Tell the network how strong the noise is, as one more channel: denoise then needs `level`.'),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Adds noise, for trials. */
export const corrupt = defineStage({
  id: 'denoising/corrupt',
  version: 1,
  summary: 'Add noise to pictures',
  inputs: { data: artifact.dataset('Pictures') },
  outputs: { data: artifact.dataset('The same with noise, rounded to 8 bits') },
  options: z.object({ column, ...noiseOptions }),
});

/** Takes noise out of pictures of any size. */
export const denoise = defineStage({
  id: 'denoising/denoise',
  version: 1,
  summary: 'Take the noise out of pictures of any size',
  inputs: { data: artifact.dataset('Noisy pictures'), model: artifact.model('denoising') },
  outputs: { data: artifact.dataset('The same rows with clean pictures') },
  options: z.object({
    column,
    level: z.number().min(0).optional().describe('Strength of the noise, for a model trained with levelMap'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Measures a denoiser beside classical filters. */
export const evaluate = defineStage({
  id: 'denoising/evaluate',
  version: 1,
  summary: 'Measure a denoiser beside classical filters at their best settings',
  inputs: {
    data: artifact.dataset('Clean pictures, best such as the model has not seen; noise is added here, not rounded'),
    model: artifact.model('denoising'),
    reference: artifact.optional(artifact.dataset('Clean pictures that pca-wiener is fitted on. Default: `data`')),
  },
  outputs: {
    metrics: artifact.metrics(denoisingMetrics),
    figures: artifact.figures(
      'Truth, noisy, best baseline and answer of the best, the middle, the worst and fixed pictures',
    ),
  },
  options: z.object({
    column,
    noise: noiseOptions.noise.unwrap().optional().describe('Default: the noise the model was trained with'),
    level: noiseOptions.level
      .unwrap()
      .optional()
      .describe('Default: the level (or the middle of the range) it was trained with'),
    baselines: z
      .array(z.enum(['gaussian', 'median', 'tv', 'pca-wiener']))
      .default(['gaussian', 'median', 'tv', 'pca-wiener'])
      .describe('Filters to compare with; each is tried at several strengths and the best on these pictures counts'),
    maxImages: z.int().min(1).default(500).describe('Pictures measured at most, the first ones'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

export default definePlugin({
  name: 'denoising',
  summary: 'Take noise out of pictures',
  stages: { train, corrupt, denoise, evaluate },
});

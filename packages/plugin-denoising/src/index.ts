import { imageLearnerMetrics, selfEnsemble } from '@hourglass/autoencoder/image-options';
import { learnerMetrics } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { optionsOfEither } from './either-options.ts';
import { column, evaluateOptions } from './evaluate-options.ts';
import { denoisingMetrics } from './metrics-schema.ts';
import { noiseOptions } from './noise-options.ts';
import { pictureLearnerOptions } from './pictures/picture-options.ts';
import { tableColumns, tableLearnerOptions } from './tables/table-options.ts';

/** Learns what noise looks like. */
export const train = defineStage({
  id: 'denoising/train',
  version: 2,
  summary: 'Learn to tell pictures, or the numbers of a table, from the noise on them',
  inputs: {
    data: artifact.dataset(
      'Clean pictures (with objective noise2void the noisy ones themselves), or a table of clean rows',
    ),
  },
  outputs: {
    model: artifact.model('denoising'),
    metrics: artifact.metrics(learnerMetrics.partial().extend(imageLearnerMetrics.partial().shape)),
  },
  options: z.object({ ...optionsOfEither(pictureLearnerOptions, tableLearnerOptions), ...noiseOptions }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Adds noise, for trials. */
export const corrupt = defineStage({
  id: 'denoising/corrupt',
  version: 2,
  summary: 'Add noise to pictures, or to the numbers of a table',
  inputs: { data: artifact.dataset('Pictures, or a table') },
  outputs: { data: artifact.dataset('The same with noise: pictures rounded to 8 bits, numbers as doubles') },
  options: z.object({ ...optionsOfEither({ column }, tableColumns), ...noiseOptions }),
});

/** Takes noise out of pictures of any size, or of the numbers of a table. */
export const denoise = defineStage({
  id: 'denoising/denoise',
  version: 2,
  summary: 'Take the noise out of pictures of any size, or of the numbers of a table',
  inputs: { data: artifact.dataset('Noisy pictures or rows'), model: artifact.model('denoising') },
  outputs: { data: artifact.dataset('The same rows, clean') },
  options: z.object({
    column,
    level: z.number().min(0).optional().describe('Pictures: strength of the noise, for a model trained with levelMap'),
    ...optionsOfEither({ selfEnsemble }, {}),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Measures a denoiser beside simple methods. */
export const evaluate = defineStage({
  id: 'denoising/evaluate',
  version: 2,
  summary: 'Measure a denoiser beside classical filters at their best settings',
  inputs: {
    data: artifact.dataset(
      'Clean pictures or rows, best such as the model has not seen; noise is added here, not rounded',
    ),
    model: artifact.model('denoising'),
    reference: artifact.optional(
      artifact.dataset('Clean pictures or rows that pca-wiener and knn know. Default: `data`'),
    ),
  },
  outputs: {
    metrics: artifact.metrics(denoisingMetrics),
    figures: artifact.figures(
      'Truth, noisy, best baseline and answer of the best, the middle, the worst and fixed pictures; the error of each column',
    ),
  },
  options: z.object(evaluateOptions),
  resources: { engine: true, accelerator: 'preferred' },
});

export default definePlugin({
  name: 'denoising',
  summary: 'Take noise out of pictures and tables',
  stages: { train, corrupt, denoise, evaluate },
});

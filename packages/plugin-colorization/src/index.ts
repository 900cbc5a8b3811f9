import { imageLearnerMetrics, imageLearnerOptions, selfEnsemble } from '@hourglass/autoencoder/image-options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { TEMPERATURE } from './annealing.ts';
import { colorizationMetrics } from './metrics-schema.ts';

const { column } = imageLearnerOptions;

const temperature = z
  .number()
  .min(0.01)
  .max(1)
  .optional()
  .describe(
    `Of a vivid model: towards 0 the likeliest colour, 1 the mean of all (annealed mean). ${TEMPERATURE} when left out.`,
  );

/** Learns which colours belong to which shapes. */
export const train = defineStage({
  id: 'colorization/train',
  version: 1,
  summary: 'Learn which colours belong to which shapes',
  inputs: { data: artifact.dataset('Pictures in colour') },
  outputs: { model: artifact.model('colorization'), metrics: artifact.metrics(imageLearnerMetrics) },
  options: z.object({
    ...imageLearnerOptions,
    head: z
      .enum(['faithful', 'vivid'])
      .default('faithful')
      .describe(
        'faithful: the likeliest mean colour, least error. vivid: a distribution over colours, rare ones counted up, so that pictures are lively.',
      ),
    hints: z
      .number()
      .min(0)
      .max(0.2)
      .default(0)
      .describe(
        'Largest share of pixels whose true colour is shown while learning: the model then takes hints. 0: none.',
      ),
    grey: z
      .enum(['skip', 'learn', 'fail'])
      .default('skip')
      .describe(
        'Pictures without colour among those to learn from: left out and counted, learned as they are, or an error.',
      ),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Gives pictures of any size colour. */
export const colorize = defineStage({
  id: 'colorization/colorize',
  version: 1,
  summary: 'Give pictures of any size colour, their lightness kept',
  inputs: {
    data: artifact.dataset('Pictures; colour they have is not looked at'),
    model: artifact.model('colorization'),
  },
  outputs: { data: artifact.dataset('The same rows in colour') },
  options: z.object({
    column,
    temperature,
    selfEnsemble,
    hints: z
      .array(
        z.strictObject({
          x: z.int().min(0),
          y: z.int().min(0),
          colour: z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a colour such as #c02030'),
          radius: z.int().min(0).max(64).default(1),
        }),
      )
      .default([])
      .describe('Known colours at places of every picture, for a model trained with hints'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Measures colours beside the truth. */
export const evaluate = defineStage({
  id: 'colorization/evaluate',
  version: 1,
  summary: 'Measure invented colours beside the true ones',
  inputs: {
    data: artifact.dataset('Pictures in colour, best such as the model has not seen'),
    model: artifact.model('colorization'),
    reference: artifact.optional(
      artifact.dataset('Pictures from which the mean colour of each lightness is learned. Default: `data`'),
    ),
  },
  outputs: {
    metrics: artifact.metrics(colorizationMetrics),
    figures: artifact.figures(
      'Grey, mean colour, answer and truth of the best, the middle, the worst and fixed pictures',
    ),
  },
  options: z.object({
    column,
    temperature,
    selfEnsemble,
    maxImages: z.int().min(1).default(2000).describe('Pictures measured at most, the first ones'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

export default definePlugin({
  name: 'colorization',
  summary: 'Give grey pictures colour',
  stages: { train, colorize, evaluate },
});

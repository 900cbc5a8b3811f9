import { imageLearnerOptions } from '@hourglass/autoencoder/image-options';
import { z } from 'zod';

/** Options of learning on pictures, for manifests. */
export const pictureLearnerOptions = {
  ...imageLearnerOptions,
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
} as const;

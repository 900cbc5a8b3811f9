import { z } from 'zod';

const score = z.object({
  psnr: z.number().describe('Peak signal-to-noise ratio in dB, of the error pooled over all pictures'),
  abRmse: z.number().describe('Root mean squared error of a* and b*'),
  colourfulness: z
    .number()
    .describe('Hasler and Süsstrunk’s measure, mean over pictures: 0 grey, about 35 a lively photograph'),
});

export const colorizationMetrics = score.extend({
  images: z.int().describe('Pictures measured'),
  truth: z.object({ colourfulness: z.number() }).describe('The true pictures'),
  baselines: z.object({
    grey: score.describe('No colour at all'),
    mean: score.describe('The mean colour of each lightness, learned from `reference`'),
  }),
  gain: z.number().describe('dB of pooled PSNR above the better baseline'),
});

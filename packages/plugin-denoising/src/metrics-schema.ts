import { z } from 'zod';

const score = z.object({
  psnr: z.number().describe('Peak signal-to-noise ratio in dB, of the error pooled over all pictures'),
  meanPsnr: z.number().describe('Mean of the PSNR of each picture'),
  ssim: z.number().describe('Structural similarity, mean over pictures'),
});

const baseline = score.extend({ setting: z.number().describe('Its strength: the best on these pictures') });

export const denoisingMetrics = score.extend({
  images: z.int().describe('Pictures measured'),
  level: z.number().describe('Mean strength of the noise'),
  noisy: score.describe('The noisy pictures themselves'),
  baselines: z.object({
    gaussian: baseline.optional(),
    median: baseline.optional(),
    tv: baseline.optional(),
    'pca-wiener': baseline.optional(),
  }),
  gain: z.number().describe('dB of pooled PSNR above the best baseline; above the noisy pictures where there is none'),
});

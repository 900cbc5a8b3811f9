import { z } from 'zod';

const pictureScore = {
  psnr: z.number().describe('Peak signal-to-noise ratio in dB, of the error pooled over all pictures'),
  meanPsnr: z.number().describe('Mean of the PSNR of each picture'),
  ssim: z.number().describe('Structural similarity, mean over pictures'),
};
const rowScore = {
  rmse: z.number().describe('Root of the mean squared error over observed cells, in deviations of each column'),
  mae: z.number().describe('Mean absolute error, likewise'),
};

const either = z.object({ ...pictureScore, ...rowScore }).partial();
const setting = z.number().describe('Its strength: the best on these pictures or rows');
const baseline = either.extend({ setting });

/** What `denoising/evaluate` gives: psnr, meanPsnr, ssim, images, gain of pictures; rmse, mae, rows, reduction of tables. */
export const denoisingMetrics = either.extend({
  images: z.int().optional().describe('Pictures measured'),
  rows: z.int().optional().describe('Rows measured'),
  level: z.number().describe('Mean strength of the noise'),
  noisy: either.describe('The noisy pictures or rows themselves'),
  baselines: z.object({
    gaussian: baseline.optional(),
    median: baseline.optional(),
    tv: baseline.optional(),
    'pca-wiener': baseline.optional(),
    knn: baseline.optional(),
    'moving-median': baseline.optional(),
  }),
  gain: z
    .number()
    .optional()
    .describe('Pictures: dB of pooled PSNR above the best baseline; above the noisy pictures where there is none'),
  reduction: z
    .number()
    .optional()
    .describe('Tables: share by which the RMSE lies below that of the best baseline (0.1: ten percent less)'),
});
export type DenoisingMetrics = z.output<typeof denoisingMetrics>;

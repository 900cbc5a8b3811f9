import { z } from 'zod';

export const NOISES = ['gaussian', 'poisson', 'salt-and-pepper', 'speckle', 'jpeg'] as const;
export type NoiseKind = (typeof NOISES)[number];

const level = z.number().min(0);

/** What noise, for manifests. */
export const noiseOptions = {
  noise: z
    .enum(NOISES)
    .default('gaussian')
    .describe(
      'gaussian: added, of deviation `level`. poisson: of light, variance brightness × level. salt-and-pepper: a share `level` of pixels black or white. speckle: brightness × gaussian. jpeg: compression of quality 100 − level.',
    ),
  level: z
    .union([level, z.tuple([level, level])])
    .default(0.1)
    .describe(
      'Strength; brightness runs from 0 to 1 (σ of 25 grey levels is 0.098). A pair [from, to]: drawn for each picture.',
    ),
} as const;

/** Resolved options of noise. */
export type NoiseOptions = z.output<z.ZodObject<typeof noiseOptions>>;

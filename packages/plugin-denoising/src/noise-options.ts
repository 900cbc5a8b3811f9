import { z } from 'zod';

/** Noise of pictures. */
export const PICTURE_NOISES = ['gaussian', 'poisson', 'salt-and-pepper', 'speckle', 'jpeg'] as const;
/** Noise of the numbers of a table. */
export const TABLE_NOISES = ['gaussian', 'swap'] as const;
const NOISES = [...PICTURE_NOISES, 'swap'] as const;
export type PictureNoise = (typeof PICTURE_NOISES)[number];
export type TableNoise = (typeof TABLE_NOISES)[number];

const level = z.number().min(0);

/** What noise, for manifests. */
export const noiseOptions = {
  noise: z
    .enum(NOISES)
    .default('gaussian')
    .describe(
      'gaussian: added, of deviation `level`. Pictures besides: poisson, of light, variance brightness × level; salt-and-pepper, a share `level` of pixels black or white; speckle, brightness × gaussian; jpeg, compression of quality 100 − level. Tables besides: swap, a share `level` of cells takes another row’s value.',
    ),
  level: z
    .union([level, z.tuple([level, level])])
    .default(0.1)
    .describe(
      'Strength. Of pictures brightness runs from 0 to 1 (σ of 25 grey levels is 0.098); of tables it is in deviations of each column. A pair [from, to]: drawn for each picture or row.',
    ),
} as const;

/** Resolved options of noise. */
export type NoiseOptions = z.output<z.ZodObject<typeof noiseOptions>>;
/** Noise that pictures can have. */
export type PictureNoiseOptions = NoiseOptions & { noise: PictureNoise };
/** Noise that numbers can have. */
export type TableNoiseOptions = NoiseOptions & { noise: TableNoise };

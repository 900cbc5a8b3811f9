import { z } from 'zod';

/** How queries are distorted, for manifests. Each that is above 0 is tried by itself. */
export const distortionOptions = {
  noise: z
    .number()
    .min(0)
    .default(0.3)
    .describe('Noise on every number, in deviations of its column (with `shape`: of all pixels).'),
  occlusion: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe(
      'Share of the numbers that are hidden: neighbouring columns, or a patch of the image where `shape` is given.',
    ),
  shift: z.int().min(0).default(0).describe('Pixels the image is shifted by in a random direction; needs `shape`.'),
  shape: z
    .tuple([z.int().min(1), z.int().min(1)])
    .optional()
    .describe('Rows and columns of the image that the learned numbers are, such as [8, 8].'),
} as const;

/** Resolved options. */
export type DistortionOptions = z.output<z.ZodObject<typeof distortionOptions>>;

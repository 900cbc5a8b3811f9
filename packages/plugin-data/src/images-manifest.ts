import { artifact, defineStage } from '@hourglass/core';
import { isOtherFormat } from '@hourglass/images/destination-format';
import { FITS } from '@hourglass/images/fit-names';
import { z } from 'zod';

const side = z.int().min(1).max(30_000);

export const PICTURE_DESTINATIONS =
  'a folder, or for one picture a file that ends in .png, .jpg, .webp or .tif; tables (.parquet, .arrow, .feather) are written by data/export';

/** What `data/images` says of the pictures. */
const imagesSchema = z.object({
  images: z.int().describe('Pictures that came in (pieces, where they were cut)'),
  quarantined: z.int().describe('Pictures set aside'),
  grey: z.int().describe('Pictures without colour'),
  minWidth: z.int(),
  maxWidth: z.int(),
  minHeight: z.int(),
  maxHeight: z.int(),
  sizes: z.record(z.string(), z.int()).describe('Pictures of each size, the 20 most frequent'),
  duplicates: z.int().describe('Pictures that look like one before them, whatever their sizes and formats'),
  alike: z.array(z.object({ picture: z.string(), like: z.string() })).describe('The first 20 of them'),
});

export const images = defineStage({
  id: 'data/images',
  version: 2,
  summary: 'Read pictures from a folder, a table of encoded pictures, or a table of pixels',
  inputs: { data: artifact.optional(artifact.dataset('Pictures in a column, or pixels as numbers; or give `uri`')) },
  outputs: {
    data: artifact.dataset(
      '`image` {bytes: PNG, path}, then the other columns; of a folder with class folders `label`',
    ),
    quarantined: artifact.dataset('Pictures that cannot be read: `path` and `reason`; no rows otherwise'),
    profile: artifact.metrics(imagesSchema, 'Sizes, pictures without colour, duplicates'),
  },
  options: z.object({
    uri: z
      .string()
      .min(1)
      .optional()
      .describe('Picture, folder, glob, or Parquet/Arrow table with encoded pictures, relative to the pipeline file'),
    column: z.string().optional().describe('Column that holds the pictures. Default: the one that does'),
    pixels: z
      .strictObject({
        width: side,
        height: side,
        channels: z.union([z.literal(1), z.literal(3)]).default(1),
        max: z.number().positive().default(255).describe('Value of white'),
        columns: z.array(z.string().min(1)).min(1).optional(),
      })
      .optional()
      .describe(
        'The pictures are numbers of `data`: a column of vectors, or a column a pixel; row by row, channels interleaved',
      ),
    channels: z
      .enum(['keep', 'grey', 'rgb'])
      .default('keep')
      .describe('keep: grey pictures stay grey. grey, rgb: all are made so'),
    rows: z
      .strictObject({ width: side, height: side })
      .optional()
      .describe('Each row of pixels of a file is a picture of this size, as collections of small pictures are kept'),
    resize: z
      .strictObject({ width: side, height: side, fit: z.enum(FITS).default('crop') })
      .optional()
      .describe('Bring all to one size: crop takes the middle, pad adds black bars, stretch distorts'),
    tile: z
      .strictObject({ width: side, height: side })
      .optional()
      .describe('Cut each picture into pieces of this size; what is left at the right and the bottom is dropped'),
    maxPixels: z
      .int()
      .min(1)
      .default(100_000_000)
      .describe('Larger pictures are set aside unread: a small file may hold a huge one'),
    onBroken: z
      .enum(['quarantine', 'fail'])
      .default('quarantine')
      .describe('Pictures that cannot be read are set aside and named, or stop the stage'),
    brokenLimit: z.number().min(0).max(1).default(0.1).describe('Largest share of pictures that may be set aside'),
  }),
  sources: ['uri'],
});

export const exportImages = defineStage({
  id: 'data/export-images',
  version: 1,
  summary: 'Write the pictures of a dataset to files',
  inputs: { data: artifact.dataset('With a column of encoded pictures') },
  outputs: {
    written: artifact.metrics(
      z.object({ images: z.int(), bytes: z.int(), digest: z.string() }),
      'What was written; the digest is of the file, or of names and contents of a folder',
    ),
  },
  options: z.object({
    uri: z
      .string()
      .min(1)
      .refine((uri) => !isOtherFormat(uri), `expected ${PICTURE_DESTINATIONS}`)
      .describe('Folder for one PNG a picture under its name; or, of a single picture, a file (.png .jpg .webp .tif)'),
    column: z.string().optional().describe('Column that holds the pictures. Default: the one that does'),
    quality: z.int().min(1).max(100).default(95).describe('Of JPEG and WebP'),
  }),
  sinks: ['uri'],
});

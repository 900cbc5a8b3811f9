import { nearNames } from '@hourglass/core';

// For manifests and commands: importing this loads no encoder.

export const IMAGE_FORMATS = ['png', 'jpeg', 'webp', 'tiff'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

const ENDINGS: Record<string, ImageFormat> = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
  tif: 'tiff',
  tiff: 'tiff',
};

/** Endings that nobody gives a folder: of pictures that cannot be written, tables and archives. */
const OTHERS = new Set(
  (
    'apng avif bmp gif heic heif ico jp2 jxl pdf ppm psd raw svg tga ' +
    'arrow csv feather h5 ipc json jsonl ndjson npy npz parquet pq tsv txt xls xlsx ' +
    '7z bz2 gz rar tar tgz xz zip zst'
  ).split(' '),
);

/** The format a file's name asks for; undefined where it is the name of a folder. */
export const formatOfName = (name: string): ImageFormat | undefined => ENDINGS[endingOf(name)];

/**
 * Whether a destination's name asks for a file that pictures cannot be written to. Folders may have points in their names
 * (`2026.11.28`, `out.v2`).
 *
 * @param single one file is to be written: an ending that is nearly one of a picture or a table is a slip
 */
export function isOtherFormat(name: string, single = false): boolean {
  const ending = endingOf(name);
  if (ending === '' || Object.hasOwn(ENDINGS, ending)) return false;
  return OTHERS.has(ending) || (single && nearNames(ending, [...Object.keys(ENDINGS), 'parquet', 'arrow']).length > 0);
}

const endingOf = (name: string): string => /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';

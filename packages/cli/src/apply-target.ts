import { basename, extname, parse, resolve } from 'node:path';
import { HourglassError } from '@hourglass/core';
import { isOtherFormat } from '@hourglass/images/destination-format';

const DONE: Record<string, string> = {
  fill: 'filled',
  encode: 'latents',
  reconstruct: 'reconstructed',
  denoise: 'denoised',
  score: 'scored',
  match: 'matches',
  colour: 'coloured',
  generate: 'generated',
};

const TABLE = /\.(parquet|pq|arrow|feather|ipc)$/i;

export type InputKind = 'file' | 'folder' | 'glob';

export interface ApplyTarget {
  /** Absolute. */
  path: string;
  uses: 'data/export' | 'data/export-images';
}

/**
 * Where the results of `apply` go, and the stage that writes them there.
 *
 * @param given `-o`; without it, the input's name with what was done, in `cwd`
 * @param source the input, absolute
 * @throws CALL_INVALID when the name is the input's, or asks for a format that pictures cannot be written in
 */
export function applyTarget(
  given: string | undefined,
  {
    cwd,
    source,
    kind,
    pictures,
    readOut,
  }: {
    cwd: string;
    source: string;
    kind: InputKind;
    pictures: boolean;
    readOut: string;
  },
): ApplyTarget {
  const extension = pictures ? pictureExtension(source, kind) : tableExtension(source);
  const path = resolve(
    cwd,
    given ?? `${kind === 'folder' ? basename(source) : stemOf(source)}-${DONE[readOut] ?? readOut}${extension}`,
  );
  if (path === source)
    throw new HourglassError('CALL_INVALID', `-o: ${given} is the input itself; choose another name.`);
  if (!pictures || TABLE.test(path)) return { path, uses: 'data/export' };
  if (isOtherFormat(path, kind === 'file'))
    throw new HourglassError(
      'CALL_INVALID',
      `-o: expected a name that ends in .png, .jpg, .webp or .tif for one picture, in .parquet, .arrow or .feather for a table of pictures, or the name of a folder; found ${given}.`,
    );
  return { path, uses: 'data/export-images' };
}

/** `img.001` of `img.001.png`, so that its neighbours keep names of their own; `data` of `data.csv.gz`. */
const stemOf = (source: string): string => parse(source.replace(/\.(gz|zst)$/i, '')).name;

/** A picture comes back as a PNG, pictures of a table as a table, a folder as a folder. */
function pictureExtension(source: string, kind: InputKind): string {
  if (TABLE.test(source)) return extname(source).toLowerCase();
  return kind === 'file' ? '.png' : '';
}

/** Tables come back as they came, where that format can be written. */
function tableExtension(source: string): string {
  const extension = extname(source).toLowerCase();
  return ['.csv', '.arrow', '.feather'].includes(extension) ? extension : '.parquet';
}

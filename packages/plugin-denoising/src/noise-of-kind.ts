import { HourglassError } from '@hourglass/core';
import type { DataKind } from './either-options.ts';
import {
  PICTURE_NOISES,
  TABLE_NOISES,
  type NoiseOptions,
  type PictureNoise,
  type TableNoise,
} from './noise-options.ts';

interface NoiseOf {
  pictures: PictureNoise;
  table: TableNoise;
}
const KINDS = { pictures: PICTURE_NOISES, table: TABLE_NOISES } as const;

/**
 * Noise as its kind of data can have it.
 * @throws OPTION_INVALID for noise of the other kind, a falling range, or a strength that it cannot have
 */
export function noiseOfKind<K extends DataKind, N extends Partial<NoiseOptions>>(
  stage: string,
  kind: K,
  options: N,
): N & { noise: N['noise'] & NoiseOf[K] } {
  const { noise, level } = options;
  const fail = (message: string): never => {
    throw new HourglassError('OPTION_INVALID', `${stage}: ${message}`);
  };
  if (noise !== undefined && !(KINDS[kind] as readonly string[]).includes(noise))
    fail(
      `noise ${noise} is for ${kind === 'table' ? 'pictures' : 'tables'}; of ${kind === 'table' ? 'a table of numbers' : 'pictures'} expected ${KINDS[kind].join(', ')}.`,
    );
  if (Array.isArray(level) && level[0] > level[1])
    fail(`level: expected [from, to], rising; found [${level.join(', ')}].`);
  const most = Array.isArray(level) ? level[1] : level;
  const problem = noise !== undefined && most !== undefined ? strengthProblem(noise, most, kind) : undefined;
  if (problem !== undefined) fail(`level: ${problem}.`);
  return options as N & { noise: N['noise'] & NoiseOf[K] };
}

/** Why noise cannot be that strong. */
function strengthProblem(noise: PictureNoise | TableNoise, level: number, kind: DataKind): string | undefined {
  if (noise === 'jpeg')
    return level < 1 || level > 99 ? `the quality of jpeg is 100 − level, expected 1 … 99; found ${level}` : undefined;
  if (level <= 1) return undefined;
  if (noise === 'swap' || noise === 'salt-and-pepper')
    return `of ${noise} it is a share, expected at most 1; found ${level}`;
  // Of tables it is in deviations of each column.
  if (kind === 'table') return undefined;
  return `brightness runs from 0 to 1, expected at most 1; found ${level}${inGreyLevels(level)}`;
}

/** What was meant, most likely. */
const inGreyLevels = (level: number): string =>
  level <= 255 ? ` (${level} grey levels are ${(level / 255).toFixed(3)})` : '';

/** The noise to measure with: as asked, else as trained, in the middle of its range. @throws OPTION_INVALID, as {@link noiseOfKind} */
export function noiseToMeasure<K extends DataKind>(
  stage: string,
  kind: K,
  trained: NoiseOptions,
  asked: Partial<NoiseOptions>,
): NoiseOptions & { noise: NoiseOf[K] } {
  const middle = typeof trained.level === 'number' ? trained.level : (trained.level[0] + trained.level[1]) / 2;
  return noiseOfKind(stage, kind, { noise: asked.noise ?? trained.noise, level: asked.level ?? middle });
}

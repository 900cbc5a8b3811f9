import { HourglassError, type StageOptions } from '@hourglass/core';
import { decodeImage, mapAhead, type EncodedSource, type NewImage, type PictureLoss } from '@hourglass/images';
import type { StageContext } from '@hourglass/plugin-kit';
import type { images } from './images-manifest.ts';

/** What does not come in: whole pictures that cannot be read, and parts of others. */
export interface Lost {
  /** Pictures looked at. */
  of: number;
  broken: { path: string; reason: string }[];
  /** Names of the pictures, by what they lost. */
  parts: Map<PictureLoss, string[]>;
}

const PARTS: Record<PictureLoss, string> = {
  transparency: 'transparent parts are laid over white',
  depth: 'more than 8 bits a channel become 8',
  frames: 'only the first frame or page is read',
};

/** Pictures that can be decoded; what is lost is put down in `lost`. @throws SOURCE_INVALID where `onBroken` is fail */
export async function* decodePictures(
  context: StageContext,
  source: EncodedSource,
  { maxPixels, onBroken }: StageOptions<typeof images>,
  lost: Lost,
): AsyncGenerator<NewImage> {
  const results = mapAhead(source.images, 8, async ({ name, bytes, record }) => {
    const losses: PictureLoss[] = [];
    try {
      const image = await decodeImage(bytes, name, { maxPixels, onLoss: (loss) => losses.push(loss) });
      return { image, name, record, losses };
    } catch (error) {
      if (onBroken === 'fail' || !(error instanceof HourglassError) || error.code !== 'SOURCE_INVALID') throw error;
      return { name, reason: String((error.details as { reason?: string }).reason ?? error.message) };
    }
  });
  for await (const result of results) {
    if (++lost.of % 64 === 0) {
      context.signal.throwIfAborted();
      context.progress(lost.of / source.count, `read ${lost.of} of ${source.count} pictures`);
    }
    if (result.image === undefined) {
      lost.broken.push({ path: result.name, reason: result.reason });
      continue;
    }
    const { losses, ...picture } = result;
    for (const loss of losses) {
      const names = lost.parts.get(loss);
      if (names) names.push(picture.name);
      else lost.parts.set(loss, [picture.name]);
    }
    yield picture;
  }
}

/** The first broken pictures with their reasons. */
export const listBroken = ({ broken }: Lost, most: number): string =>
  firstFew(
    broken.map(({ path, reason }) => `${path} (${reason})`),
    most,
    '; ',
  );

/** A line for each kind of thing that pictures lost. */
export const listParts = ({ of, parts }: Lost): string[] =>
  [...parts].map(([loss, names]) => `${PARTS[loss]} in ${names.length} of ${of} pictures: ${firstFew(names, 3, ', ')}`);

/** The first of many, told that there are more. */
export const firstFew = (names: readonly string[], most: number, separator: string): string =>
  names.slice(0, most).join(separator) + (names.length > most ? `${separator}…` : '');

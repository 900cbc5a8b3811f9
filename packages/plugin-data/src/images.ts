import type { StageOptions } from '@hourglass/core';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { writeRecords } from '@hourglass/dataset';
import {
  decodeImage,
  fromDataset,
  imagesFromPixels,
  isGrey,
  mapAhead,
  openImageSource,
  pictureSketch,
  pngName,
  shapeImage,
  withChannels,
  writeImages,
  type EncodedSource,
  type NewImage,
  type RawImage,
} from '@hourglass/images';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { images } from './images-manifest.ts';
import { imageProfile, type ImageProfile } from './image-profile.ts';

type Options = StageOptions<typeof images>;
const STAGE = 'data/images';
const QUARANTINE = [
  { name: 'path', physical: 'VARCHAR' },
  { name: 'reason', physical: 'VARCHAR' },
];

/** Decodes what it finds, a few pictures at a time, brings them to the shape asked for, and sets aside what cannot be read. */
export const run: StageRun<typeof images> = async (context, { data }, options) => {
  const store = context.artifacts;
  const profile = imageProfile();
  const broken: { path: string; reason: string }[] = [];
  let columns: { name: string; physical: string }[];
  let pictures: AsyncIterable<NewImage>;
  if (options.pixels) {
    if (!data || options.uri !== undefined)
      throw wanted('`pixels` reads numbers of the input `data`: connect it and leave `uri` out');
    const source = await imagesFromPixels(store, data, options.pixels, STAGE);
    columns = source.columns;
    pictures = shaped(source.images, options, profile);
  } else {
    const source = await encoded(context, data, options);
    columns = source.columns;
    pictures = shaped(decoded(context, source, options, broken), options, profile);
  }
  const column = options.column ?? 'image';
  const ref = await writeImages(store, {
    column,
    columns: columns.filter(({ name }) => name !== column),
    images: pictures,
  });
  const count = profile.images();
  if (count === 0)
    throw new HourglassError(
      'SOURCE_EMPTY',
      `${STAGE}: no picture is left${broken.length > 0 ? `: all ${broken.length} cannot be read. The first: ${broken[0]!.path}: ${broken[0]!.reason}` : ''}${options.tile ? `; none is as large as tile ${options.tile.width} × ${options.tile.height}` : ''}.`,
    );
  if (broken.length > options.brokenLimit * (broken.length + count))
    throw new HourglassError(
      'CONTRACT_VIOLATED',
      `${STAGE}: ${broken.length} of ${broken.length + count} pictures cannot be read, more than brokenLimit ${options.brokenLimit} allows: ${broken
        .slice(0, 5)
        .map(({ path, reason }) => `${path} (${reason})`)
        .join('; ')}${broken.length > 5 ? '; …' : ''}.`,
      { details: { broken: broken.slice(0, 20) } },
    );
  if (broken.length > 0)
    context.log.warn(
      `${broken.length === 1 ? '1 picture is' : `${broken.length} pictures are`} set aside: ${broken
        .slice(0, 3)
        .map(({ path, reason }) => `${path} (${reason})`)
        .join('; ')}${broken.length > 3 ? '; …' : ''}`,
    );
  const found = profile.result(broken.length);
  if (found.duplicates > 0)
    context.log.info(
      `${found.duplicates === 1 ? '1 picture looks like one before it' : `${found.duplicates} pictures look like one before them`}: ${found.alike
        .slice(0, 3)
        .map(({ picture, like }) => `${picture} looks like ${like}`)
        .join('; ')}${found.duplicates > 3 ? '; …' : ''}`,
    );
  return {
    data: ref,
    quarantined: await writeRecords(store, { columns: QUARANTINE, records: broken }),
    profile: found,
  };
};

async function encoded(context: StageContext, data: ArtifactRef | undefined, options: Options): Promise<EncodedSource> {
  const { uri, column } = options;
  if ((uri === undefined) === (data === undefined))
    throw wanted(`give either the option \`uri\` or the input \`data\`, found ${data ? 'both' : 'neither'}`);
  context.progress(0, `reading ${uri ?? 'pictures'}`);
  return data
    ? fromDataset(context.artifacts, data, column, STAGE)
    : openImageSource(context.artifacts, uri!, column, STAGE);
}

const wanted = (text: string): HourglassError => new HourglassError('OPTION_INVALID', `${STAGE}: ${text}.`);

/** Decoded pictures; those that cannot be are put down in `broken`. */
async function* decoded(
  context: StageContext,
  source: EncodedSource,
  options: Options,
  broken: { path: string; reason: string }[],
): AsyncGenerator<NewImage> {
  let done = 0;
  const results = mapAhead(source.images, 8, async ({ name, bytes, record }) => {
    try {
      return { image: await decodeImage(bytes, name, { maxPixels: options.maxPixels }), name, record };
    } catch (error) {
      if (options.onBroken === 'fail' || !(error instanceof HourglassError) || error.code !== 'SOURCE_INVALID')
        throw error;
      return { name, reason: String((error.details as { reason?: string }).reason ?? error.message) };
    }
  });
  for await (const result of results) {
    if (++done % 64 === 0) {
      context.signal.throwIfAborted();
      context.progress(done / source.count, `read ${done} of ${source.count} pictures`);
    }
    if (result.image === undefined) broken.push({ path: result.name, reason: result.reason });
    else yield result;
  }
}

/** Pictures in the shape asked for, counted. */
async function* shaped(
  pictures: AsyncIterable<NewImage>,
  { channels, rows, resize, tile }: Options,
  profile: ImageProfile,
): AsyncGenerator<NewImage> {
  const pieces = mapAhead(pictures, 8, async ({ image, name, record }) => {
    const asked: RawImage = channels === 'keep' ? image : withChannels(image, channels === 'grey' ? 1 : 3);
    return Promise.all(
      (await shapeImage(asked, { rows, resize, tile })).map(async ({ image: piece, suffix }) => ({
        image: piece,
        name: suffix ? `${pngName(name).slice(0, -4)}${suffix}.png` : name,
        record,
        sketch: pictureSketch(piece),
        grey: isGrey(piece),
      })),
    );
  });
  for await (const group of pieces)
    for (const { sketch, grey, ...piece } of group) {
      profile.add(piece.name, piece.image, sketch, grey);
      yield piece;
    }
}

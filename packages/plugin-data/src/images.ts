import { HourglassError, type ArtifactRef, type StageOptions } from '@hourglass/core';
import { writeRecords } from '@hourglass/dataset';
import {
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
import { decodePictures, firstFew, listBroken, listParts, type Lost } from './decode-pictures.ts';
import { imageProfile, type ImageProfile } from './image-profile.ts';
import type { images } from './images-manifest.ts';

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
  const lost: Lost = { of: 0, broken: [], parts: new Map() };
  const { broken } = lost;
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
    pictures = shaped(decodePictures(context, source, options, lost), options, profile);
  }
  const column = options.column ?? 'image';
  const ref = await writeImages(store, {
    column,
    columns: columns.filter(({ name }) => name !== column),
    images: pictures,
  });
  const count = profile.images();
  const tooSmall = options.tile ? `none is as large as tile ${options.tile.width} × ${options.tile.height}` : '';
  if (count === 0 && broken.length === 0)
    throw new HourglassError('SOURCE_EMPTY', `${STAGE}: no picture is left${tooSmall && `; ${tooSmall}`}.`);
  const unreadable = (what: string, remedy: string): HourglassError =>
    new HourglassError('SOURCE_INVALID', `${STAGE}: ${what}. Remove or repair these pictures${remedy}.`, {
      details: { broken: broken.slice(0, 20) },
    });
  if (count === 0)
    throw unreadable(
      `no picture is left, ${broken.length} cannot be read: ${listBroken(lost, 5)}${tooSmall && `; of the others ${tooSmall}`}`,
      '',
    );
  if (broken.length > options.brokenLimit * (broken.length + count))
    throw unreadable(
      `${broken.length} of ${broken.length + count} pictures cannot be read, more than brokenLimit ${options.brokenLimit} allows: ${listBroken(lost, 5)}`,
      ', or raise brokenLimit to go on without them',
    );
  if (broken.length > 0)
    context.log.warn(
      `${broken.length === 1 ? '1 picture is' : `${broken.length} pictures are`} set aside: ${listBroken(lost, 3)}`,
    );
  for (const line of listParts(lost)) context.log.warn(line);
  const found = profile.result(broken.length);
  if (found.duplicates > 0)
    context.log.info(
      `${found.duplicates === 1 ? '1 picture looks like one before it' : `${found.duplicates} pictures look like one before them`}: ${firstFew(
        found.alike.map(({ picture, like }) => `${picture} looks like ${like}`),
        3,
        '; ',
      )}`,
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

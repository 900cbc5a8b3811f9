import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { ident, openDataset, queryDataset, type Column, type Table } from '@hourglass/dataset';
import { imageColumn, readImages, withChannels, type RawImage } from '@hourglass/images';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { pixels } from './pixels-manifest.ts';

const STAGE = 'data/pixels';
/** Numbers of a picture at most, 64 × 64 in colour: the database handles two thousand rows at once, some of them several times. */
const MOST_NUMBERS = 12_288;
/** Pictures handed to the database at once: a chunk of its own. */
const AT_ONCE = 2048;
/** Numbers of a row group, 64 MiB. */
const GROUP = 2 ** 24;

/** Pictures of one size as rows of numbers 0 … 1: their bytes over 255, row by row, colours of a pixel side by side. */
export const run: StageRun<typeof pixels> = async (context, { data }, { column: wanted, channels, layout }) => {
  const { columns, rows } = await openDataset(context.artifacts, data);
  const column = imageColumn(columns, STAGE, wanted);
  const source: Source = { data, column, rows, channels: channels === 'grey' ? 1 : 3 };
  const size = await firstSize(context, source);
  const length = size.height * size.width * source.channels;
  const names = layout === 'list' ? ['pixels'] : pixelNames(size, source.channels);
  const others = columns.filter(({ name }) => name !== column);
  refuseTaken(others, names);
  const named = columns.some(({ name, physical }) => name === column && physical !== 'BLOB');
  const path = named && !others.some(({ name }) => name.toLowerCase() === 'path');
  const beside = [...(path ? [`${ident(column)}.path AS path`] : []), ...others.map(({ name }) => ident(name))];
  const made = layout === 'list' ? ['pixels'] : names.map((name, i) => `pixels[${i + 1}] AS ${ident(name)}`);
  const selected = columns.flatMap(({ name }) =>
    name === column ? [...made, ...(path ? ['path'] : [])] : [ident(name)],
  );
  const result = await queryDataset(context.artifacts, {
    inputs: { given: data },
    tables: {
      made: {
        columns: [{ name: 'pixels', physical: 'FLOAT[]' }],
        tables: pixelTables(context, source, size),
      },
    },
    // What is joined is held: the narrow side, not the pixels.
    sql: `SELECT ${selected.join(', ')} FROM made${beside.length > 0 ? ` POSITIONAL JOIN (SELECT ${beside.join(', ')} FROM given)` : ''}`,
    rowGroup: Math.max(AT_ONCE, Math.floor(GROUP / length)),
  });
  const { height, width } = size;
  context.log.info(
    `${rows} pictures of ${width} × ${height} are ${layout === 'list' ? `lists of ${length} numbers` : `${length} columns`}: ` +
      `learn them ${layout === 'list' ? 'with columns: [pixels]' : 'with the other columns under exclude'}; to warp and architecture: conv they are shape: [${height}, ${width}]`,
  );
  return { data: result, metrics: { images: rows, height, width, channels: source.channels } };
};

interface Source {
  data: ArtifactRef;
  /** That holds the pictures. */
  column: string;
  rows: number;
  channels: RawImage['channels'];
}

type Size = Pick<RawImage, 'width' | 'height'>;

/** @throws DATA_INSUFFICIENT without pictures, COLUMN_INVALID where they are too large for rows of numbers */
async function firstSize({ artifacts }: StageContext, { data, column, channels }: Source): Promise<Size> {
  for await (const { image } of readImages(artifacts, data, { column, where: STAGE, limit: 1 })) {
    const numbers = image.height * image.width * channels;
    if (numbers <= MOST_NUMBERS) return image;
    throw new HourglassError(
      'COLUMN_INVALID',
      `${STAGE}: expected pictures of at most ${MOST_NUMBERS} numbers, found ${image.width} × ${image.height} × ${channels} = ${numbers}. Give data/images a smaller size: resize: { width: 64, height: 64 }.`,
    );
  }
  throw new HourglassError('DATA_INSUFFICIENT', `${STAGE}: the dataset has no rows: expected pictures in "${column}".`);
}

/** Pictures as lists, some at a time. @throws COLUMN_INVALID with the sizes, when there are several */
async function* pixelTables(context: StageContext, source: Source, size: Size): AsyncGenerator<Table> {
  const { data, column, rows, channels } = source;
  const length = size.height * size.width * channels;
  const sizes = new Map<string, number>();
  // What is yielded is copied before the next is asked for.
  const values = new Float32Array(Math.min(AT_ONCE, rows) * length);
  let [held, done] = [0, 0];
  const table = (): Table => ({
    rows: held,
    columns: {},
    vectors: { pixels: { values: values.subarray(0, held * length), length } },
  });
  for await (const { image } of readImages(context.artifacts, data, { column, where: STAGE })) {
    if (++done % 64 === 0) {
      context.signal.throwIfAborted();
      context.progress(done / rows, `read ${done} of ${rows} pictures`);
    }
    const found = `${image.width} × ${image.height}`;
    sizes.set(found, (sizes.get(found) ?? 0) + 1);
    // The rest is counted only, for the message.
    if (sizes.size > 1) continue;
    const bytes = withChannels(image, channels).data;
    for (let i = 0; i < length; i++) values[held * length + i] = bytes[i]! / 255;
    if (++held === AT_ONCE) {
      yield table();
      held = 0;
    }
  }
  if (sizes.size > 1) throw severalSizes(sizes);
  if (held > 0) yield table();
}

function severalSizes(sizes: Map<string, number>): HourglassError {
  const ranked = [...sizes].sort(([, a], [, b]) => b - a);
  const [[common] = ['']] = ranked;
  const [width, height] = common.split(' × ');
  const told = ranked.slice(0, 8).map(([size, count]) => `${count} of ${size}`);
  return new HourglassError(
    'COLUMN_INVALID',
    `${STAGE}: expected pictures of one size, found ${told.join(', ')}${ranked.length > 8 ? `, … (${ranked.length} sizes)` : ''}. Bring them to one with data/images: resize: { width: ${width}, height: ${height} }.`,
    { details: { sizes: Object.fromEntries(ranked.slice(0, 20)) } },
  );
}

function refuseTaken(others: readonly Column[], names: readonly string[]): void {
  const wanted = new Set(names);
  const taken = others.find(({ name }) => wanted.has(name.toLowerCase()));
  if (taken)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${STAGE}: the dataset has a column "${taken.name}" already, which pixels are to be called. Rename it with data/sql, or leave it out.`,
    );
}

/** `pixel_ROW_COLUMN`, of colours with `_r`, `_g` and `_b`. */
function pixelNames({ width, height }: Size, channels: RawImage['channels']): string[] {
  const ends = channels === 1 ? [''] : ['_r', '_g', '_b'];
  return Array.from({ length: height * width }, (_, i) => `pixel_${Math.floor(i / width)}_${i % width}`).flatMap(
    (name) => ends.map((end) => `${name}${end}`),
  );
}

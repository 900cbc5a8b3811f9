import type { Figure } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import { sampleRows, type DatasetReader, type VectorData } from '@hourglass/dataset';
import { imageGrid, type RawImage } from '@hourglass/images';
import { columnRange } from '@hourglass/metrics';

type PictureSize = Omit<RawImage, 'data'>;

/** Pictures in a row of the grid, and rows of each kind. */
const ACROSS = 12;
const DOWN = 4;

/**
 * A grid for each column of lists that are pictures: drawn ones above, real ones below. Without a size, those whose length is
 * a square are; others have no grid.
 * @throws OPTION_INVALID when no column has lists of the size's length
 */
export async function pictureGrids(
  stage: string,
  synthetic: DatasetReader,
  real: DatasetReader,
  size?: PictureSize,
): Promise<Figure[]> {
  const lists = synthetic.columns.filter(({ type }) => type === 'vector');
  const figures: Figure[] = [];
  for (const { name, length = 0 } of lists) {
    const picture = size ?? square(length);
    if (!picture || picture.width * picture.height * picture.channels !== length) continue;
    if (!real.columns.some((column) => column.name === name && column.length === length)) continue;
    const read = async (reader: DatasetReader): Promise<VectorData> =>
      (await sampleRows(reader, [name], ACROSS * DOWN)).vectors![name]!;
    const [drawn, seen] = [await read(synthetic), await read(real)];
    const { min, max } = columnRange(seen.values);
    const white = max > min ? max : min + 1;
    const rows = [...pictures(drawn, picture, min, white), ...pictures(seen, picture, min, white)];
    const png = await imageGrid(rows, { side: 48, gap: 2 });
    figures.push({ id: `pictures-${name}`, title: `${name}: drawn above, real below`, format: 'png', png });
  }
  if (size && figures.length === 0)
    throw new HourglassError(
      'OPTION_INVALID',
      `${stage}: picture: pictures of ${size.width} × ${size.height} × ${size.channels} are lists of ${size.width * size.height * size.channels} numbers, found ${
        lists.map(({ name, length }) => `${name} of ${length}`).join(', ') || 'no column of lists'
      }; correct the size, or leave it out`,
    );
  return figures;
}

function square(length: number): PictureSize | undefined {
  const side = Math.round(Math.sqrt(length));
  return side > 1 && side * side === length ? { width: side, height: side, channels: 1 } : undefined;
}

function pictures({ values, length }: VectorData, size: PictureSize, min: number, max: number): RawImage[][] {
  const all = Array.from({ length: values.length / length }, (_, row) => ({
    ...size,
    data: Uint8Array.from({ length }, (_, j) =>
      Math.max(0, Math.min(255, Math.round((255 * (values[row * length + j]! - min)) / (max - min)))),
    ),
  }));
  return Array.from({ length: Math.ceil(all.length / ACROSS) }, (_, r) => all.slice(r * ACROSS, (r + 1) * ACROSS));
}

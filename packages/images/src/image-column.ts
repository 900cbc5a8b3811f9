import { firstNames, HourglassError } from '@hourglass/core';
import type { Column } from '@hourglass/dataset';

/** Physical type of a column of pictures: encoded bytes and the name they had, as Hugging Face's `datasets` keeps them. */
export const IMAGE_TYPE = 'STRUCT(bytes BLOB, path VARCHAR)';

const isStruct = (physical: string): boolean => /^STRUCT\("?bytes"? BLOB, "?path"? VARCHAR\)$/.test(physical);

/** Whether a column holds encoded pictures: {bytes, path}, or the bytes alone. */
export const isImageColumn = ({ physical }: Pick<Column, 'physical'>): boolean =>
  isStruct(physical) || physical === 'BLOB';

/**
 * The column that holds the pictures of a dataset.
 * @param wanted a name; without one there must be just one such column
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID
 */
export function imageColumn(columns: readonly Column[], where: string, wanted?: string): string {
  const images = columns.filter(isImageColumn).map(({ name }) => name);
  const named = columns.find(({ name }) => name === wanted);
  if (wanted !== undefined && !named)
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `${where}: no column "${wanted}". ${images.length > 0 ? `Columns of pictures are ${firstNames(images, 8)}.` : 'None of the columns holds pictures.'}`,
    );
  if (named && !isImageColumn(named))
    throw new HourglassError(
      'COLUMN_INVALID',
      `${where}: column "${named.name}" is ${named.physical}; expected encoded pictures, ${IMAGE_TYPE} or BLOB.`,
    );
  if (named) return named.name;
  if (images.length === 1) return images[0]!;
  throw new HourglassError(
    'COLUMN_NOT_FOUND',
    images.length === 0
      ? `${where}: expected a column of encoded pictures (${IMAGE_TYPE}), found ${firstNames(
          columns.map(({ name, physical }) => `${name} ${physical}`),
          8,
        )}. Bring pictures in with data/images.`
      : `${where}: ${images.length} columns hold pictures: ${firstNames(images, 8)}. Say which with \`column\`.`,
  );
}

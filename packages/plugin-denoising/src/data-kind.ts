import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, type Column } from '@hourglass/dataset';
import { isImageColumn } from '@hourglass/images';
import type { DataKind } from './either-options.ts';

/** Columns noise is added to and taken from. */
export const isNumber = ({ type }: Column): boolean => type === 'float' || type === 'integer';

/**
 * Whether a dataset holds pictures or numbers: pictures where a column holds them, or is said to.
 * @throws COLUMN_NOT_FOUND where there are neither
 */
export async function dataKind(
  store: ArtifactStore,
  ref: ArtifactRef,
  where: string,
  column: string | undefined,
): Promise<DataKind> {
  const { columns } = await openDataset(store, ref);
  if (column !== undefined || columns.some(isImageColumn)) return 'pictures';
  if (columns.some(isNumber)) return 'table';
  throw new HourglassError(
    'COLUMN_NOT_FOUND',
    `${where}: expected a column of encoded pictures or columns of numbers, found ${columns
      .slice(0, 8)
      .map(({ name, physical }) => `${name} ${physical}`)
      .join(
        ', ',
      )}${columns.length > 8 ? `, … (${columns.length})` : ''}. Bring pictures in with data/images, tables with data/ingest.`,
  );
}

import { readFile } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import { listSourceFiles, type ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { ingest, openDataset, readRecords, type DataRecord } from '@hourglass/dataset';
import { imageColumn } from './image-column.ts';
import { PICTURE_NAME } from './picture-name.ts';
import { encodedCell } from './read-images.ts';

/** A picture as it comes, not looked at yet. */
export interface EncodedImage {
  name: string;
  bytes: Uint8Array;
  record: DataRecord;
}

/** Where pictures come from. */
export interface EncodedSource {
  /** Other columns with their physical types. */
  columns: { name: string; physical: string }[];
  images: AsyncIterable<EncodedImage>;
  /** How many there are. */
  count: number;
}

const TABLE = /\.(parquet|pq|arrow|feather|ipc)$/i;

/**
 * Pictures of a file, folder or glob: picture files, their folder as `label` where they lie in folders; or tables with
 * a column of encoded pictures.
 * @throws SOURCE_NOT_FOUND without pictures
 */
export async function openImageSource(
  store: ArtifactStore,
  uri: string,
  column: string | undefined,
  where: string,
): Promise<EncodedSource> {
  const { files, root, kind } = await listSourceFiles(uri);
  if (files.every((file) => TABLE.test(file))) return fromDataset(store, await ingest(store, { uri }), column, where);
  // A file that is named is meant; in a folder other files (read-me's) lie about, and `*` means no hidden ones.
  const pictures =
    kind === 'folder'
      ? files.filter((file) => PICTURE_NAME.test(file))
      : files.filter((file) => kind === 'file' || !basename(file).startsWith('.'));
  if (pictures.length === 0)
    throw new HourglassError(
      'SOURCE_NOT_FOUND',
      `${where}: ${uri} holds no pictures: none of its ${files.length} files ends in .png, .jpg, .webp, .tif, .gif, .avif or .svg.`,
    );
  const names = pictures.map((file) => relative(root, file).split(sep).join('/'));
  const labelled = names.every((name) => name.includes('/'));
  return {
    columns: labelled ? [{ name: 'label', physical: 'VARCHAR' }] : [],
    count: pictures.length,
    images: (async function* (): AsyncGenerator<EncodedImage> {
      for (const [i, file] of pictures.entries()) {
        const name = names[i]!;
        yield { name, bytes: await readFile(file), record: labelled ? { label: name.split('/')[0]! } : {} };
      }
    })(),
  };
}

/** Pictures of a dataset's column, the other columns beside them. */
export async function fromDataset(
  store: ArtifactStore,
  ref: ArtifactRef,
  column: string | undefined,
  where: string,
): Promise<EncodedSource> {
  const { columns, rows } = await openDataset(store, ref);
  const name = imageColumn(columns, where, column);
  return {
    columns: columns.filter((other) => other.name !== name).map(({ name, physical }) => ({ name, physical })),
    count: rows,
    images: (async function* (): AsyncGenerator<EncodedImage> {
      let row = 0;
      for await (const { [name]: cell, ...record } of readRecords(store, ref)) {
        const found = encodedCell(cell!, row);
        yield { name: found?.name ?? `row ${row + 1}`, bytes: found?.bytes ?? new Uint8Array(), record };
        row++;
      }
    })(),
  };
}

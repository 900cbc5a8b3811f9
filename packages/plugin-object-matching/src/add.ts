import { loadModel } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { ident, openDataset, queryDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { openGallery, putGallery } from './gallery.ts';
import { galleryTable, idTexts, ROW_ID } from './gallery-table.ts';
import type { add } from './index.ts';

const STAGE = 'object-matching/add';

/** A new index of the old objects and the new ones; the old index stays. */
export const run: StageRun<typeof add> = async (context, inputs, { existing }) => {
  const store = context.artifacts;
  const gallery = await openGallery(STAGE, store, inputs.index, inputs.model);
  const { settings } = gallery;
  const model = await loadModel(store, inputs.index);
  const byRow =
    settings.id === ROW_ID && !(await openDataset(store, inputs.data)).columns.some(({ name }) => name === ROW_ID);
  const { table: added } = await galleryTable(STAGE, context, model, inputs.data, {
    ...(byRow ? { firstRow: await nextRow() } : { id: settings.id }),
    payload: settings.payload,
    dims: settings.dims,
  });
  const ids = async (ref: typeof added) =>
    idTexts((await (await openDataset(store, ref)).table([settings.id])).columns[settings.id]!);
  const known = new Set(await ids(gallery.table));
  const twin = (await ids(added)).find((text) => known.has(text));
  if (twin !== undefined && existing === 'refuse')
    throw new HourglassError(
      'COLUMN_INVALID',
      `${STAGE}: the index has an object "${twin}" already (column "${settings.id}"); give the new one another name, or set existing: replace`,
      { details: { column: settings.id, id: twin } },
    );
  const id = ident(settings.id);
  const table = await queryDataset(store, {
    inputs: { gallery: gallery.table, added },
    sql: `SELECT * FROM gallery WHERE ${id} NOT IN (SELECT ${id} FROM added) UNION ALL BY NAME SELECT * FROM added`,
  });
  return putGallery(context, inputs.index, table, settings);

  /** Rows that were removed leave their number free; the next one is beyond the largest. */
  async function nextRow(): Promise<number> {
    const { columns } = await (await openDataset(store, gallery.table)).table([ROW_ID]);
    const numbers = columns[ROW_ID];
    return numbers?.kind === 'numeric' ? numbers.values.reduce((most, value) => Math.max(most, value), -1) + 1 : 0;
  }
};

import { HourglassError } from '@hourglass/core';
import { ident, openDataset, queryDataset, writeDataset } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { openGallery, putGallery } from './gallery.ts';
import { idTexts } from './gallery-table.ts';
import type { remove } from './index.ts';
import { requireColumns } from './require-columns.ts';

const STAGE = 'object-matching/remove';

/** A new index without some objects; the old index stays. */
export const run: StageRun<typeof remove> = async (context, inputs, { ids, absent }) => {
  const store = context.artifacts;
  const gallery = await openGallery(STAGE, store, inputs.index);
  const { settings } = gallery;
  const gone = new Set(ids.map(String));
  if (inputs.data) {
    const reader = await openDataset(store, inputs.data);
    requireColumns(STAGE, 'data', reader, [settings.id]);
    for (const text of idTexts((await reader.table([settings.id])).columns[settings.id]!)) gone.add(text);
  }
  if (gone.size === 0)
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: nothing to remove: name objects by \`ids\` or connect \`data\``,
    );
  const known = idTexts((await (await openDataset(store, gallery.table)).table([settings.id])).columns[settings.id]!);
  const there = new Set(known);
  const unknown = [...gone].filter((text) => !there.has(text));
  if (unknown.length > 0 && absent === 'refuse')
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: the index has no object ${unknown
        .slice(0, 5)
        .map((text) => `"${text}"`)
        .join(
          ', ',
        )}${unknown.length > 5 ? `, … (${unknown.length})` : ''} in column "${settings.id}"; correct the ids, or set absent: ignore`,
      { details: { ids: unknown.slice(0, 20) } },
    );
  const left = known.map((text) => (gone.has(text) ? 0 : 1));
  if (!left.includes(1))
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: no object would be left of ${known.length}; keep at least one`,
    );
  const side = await writeDataset(store, {
    columns: [{ name: '__left', physical: 'BOOLEAN' }],
    parts: [
      { tables: [{ rows: left.length, columns: { __left: { kind: 'numeric', values: Float64Array.from(left) } } }] },
    ],
  });
  const table = await queryDataset(store, {
    inputs: { gallery: gallery.table, side },
    sql: `SELECT gallery.* FROM gallery POSITIONAL JOIN side WHERE side.${ident('__left')}`,
  });
  return putGallery(context, inputs.index, table, settings);
};

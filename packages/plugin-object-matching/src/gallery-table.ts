import { encodeRows, type Model } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, queryDataset, type ColumnData } from '@hourglass/dataset';
import type { StageContext } from '@hourglass/plugin-kit';
import { LATENT } from './gallery.ts';
import { requireColumns } from './require-columns.ts';

/** Name of the ids where no column gives them. */
export const ROW_ID = 'object';

/** Columns of a match; payload of the same names could not stand beside them. */
const RESERVED = ['query', 'rank', 'match', 'distance', 'margin'];

/**
 * A table of ids, payload and latents in one part.
 * @param given.firstRow - number of the first object where rows name them
 * @throws DATA_INSUFFICIENT for no rows; COLUMN_NOT_FOUND, COLUMN_INVALID (a name twice or missing), SCHEMA_MISMATCH
 */
export async function galleryTable(
  stage: string,
  context: StageContext,
  model: Model,
  data: ArtifactRef,
  given: { id?: string; payload?: string[]; dims: number; firstRow?: number },
): Promise<{ table: ArtifactRef; id: string; payload: string[] }> {
  const reader = await openDataset(context.artifacts, data);
  if (reader.rows === 0)
    throw new HourglassError('DATA_INSUFFICIENT', `${stage}: the gallery is empty: there is no object to find`);
  const learned = new Set(model.encoder.columns.map(({ name }) => name));
  const id = given.id;
  if (id !== undefined) requireColumns(stage, 'id', reader, [id]);
  if (given.payload) requireColumns(stage, 'payload', reader, given.payload);
  const payload = (given.payload ?? reader.columns.map(({ name }) => name).filter((name) => !learned.has(name))).filter(
    (name) => name !== id,
  );
  const clash = payload.find((name) =>
    [...RESERVED, ...(id === undefined ? [ROW_ID] : [])].includes(name.toLowerCase()),
  );
  if (clash !== undefined)
    throw new HourglassError(
      'COLUMN_INVALID',
      `${stage}: the payload column "${clash}" has the name of a column of matches (${RESERVED.join(', ')}); rename it, or leave it out by \`payload\``,
      { details: { column: clash } },
    );
  if (id !== undefined) {
    const { columns } = await reader.table([id]);
    refuseRepeated(stage, id, columns[id]!);
  }
  const keep = [...(id === undefined ? [] : [id]), ...payload];
  const encoded = await encodeRows(context, model, data, { keep, prefix: LATENT, dims: given.dims });
  const number = `(row_number() OVER () - 1 + ${given.firstRow ?? 0})::BIGINT AS ${ROW_ID}, `;
  return {
    table: await queryDataset(context.artifacts, {
      inputs: { encoded },
      sql: `SELECT ${id === undefined ? number : ''}* FROM encoded`,
    }),
    id: id ?? ROW_ID,
    payload,
  };
}

/** The id of each row as text. */
export function idTexts(data: ColumnData): string[] {
  return data.kind === 'numeric'
    ? Array.from(data.values, (value) => (Number.isNaN(value) ? '' : String(value)))
    : Array.from(data.codes, (code) => (code < 0 ? '' : data.categories[code]!));
}

function refuseRepeated(stage: string, id: string, data: ColumnData): void {
  const seen = new Map<string, number>();
  for (const [row, text] of idTexts(data).entries()) {
    const before = seen.get(text);
    if (text === '' || before !== undefined)
      throw new HourglassError(
        'COLUMN_INVALID',
        text === ''
          ? `${stage}: the id column "${id}" is missing in row ${row}; every object needs a name`
          : `${stage}: the id column "${id}" holds "${text}" twice, in rows ${before} and ${row}; every object needs a name of its own`,
        { details: { column: id, row } },
      );
    seen.set(text, row);
  }
}

import { checkSchema, encodeTable, type EncodedTable } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { freshName, ident, openDataset, queryDataset, type DatasetReader, type Table } from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { match } from './index.ts';
import { requireColumns } from './require-columns.ts';
import { searchNearest } from './search.ts';
import { withIndex, type WarmIndex } from './warm-index.ts';

const STAGE = 'object-matching/match';
const CHUNK = 4096;

/** Columns of what is found, before objects have names. */
const FOUND = [
  { name: 'query', physical: 'BIGINT' },
  { name: 'rank', physical: 'INTEGER' },
  { name: 'object', physical: 'BIGINT' },
  { name: 'distance', physical: 'DOUBLE' },
  { name: 'margin', physical: 'DOUBLE' },
];

/** The k nearest objects of each query: found among the latents, named and given their payload in the database. */
export const run: StageRun<typeof match> = (context, inputs, options) =>
  withIndex(STAGE, context, inputs.index, inputs.model, async (index) => {
    const store = context.artifacts;
    const { gallery, model } = index;
    if (options.k > gallery.rows)
      throw new HourglassError(
        'OPTION_INVALID',
        `${STAGE}: k: ${options.k} matches asked of an index of ${gallery.rows} objects; ask for at most ${gallery.rows}`,
      );
    const reader = await openDataset(store, inputs.data);
    const { queryId } = options;
    if (queryId !== undefined) requireColumns(STAGE, 'queryId', reader, [queryId]);
    for (const notice of checkSchema(model.encoder, reader.columns)) context.log.info(notice);
    const { id, payload } = gallery.settings;
    // The number of a row, beside columns of people.
    const row = freshName(
      [id, ...payload, ...reader.columns.map(({ name }) => name)].map((name) => ({ name })),
      'row',
    );
    const columns = [
      queryId === undefined ? 'found.query' : `asked.${ident(queryId)} AS query`,
      'found.rank',
      `known.${ident(id)} AS match`,
      'found.distance',
      'found.margin',
      ...payload.map((name) => `known.${ident(name)}`),
    ];
    return {
      data: await queryDataset(store, {
        inputs: { known: gallery.table, ...(queryId === undefined ? {} : { queries: inputs.data }) },
        tables: { found: { columns: FOUND, tables: nearest(context, index, reader, options) } },
        numbered: { known: row },
        sql: `SELECT ${columns.join(', ')} FROM found JOIN known ON known.${ident(row)} = found.object
        ${queryId === undefined ? '' : `JOIN (SELECT row_number() OVER () - 1 AS ${ident(row)}, ${ident(queryId)} FROM queries) asked ON asked.${ident(row)} = found.query`}
        ORDER BY found.query, found.rank`,
      }),
    };
  });

/** Rows of queries and ranks: which object, how far, and how much farther the next one is. */
async function* nearest(
  context: StageContext,
  { gallery, model, answer, space: indexed }: WarmIndex,
  reader: DatasetReader,
  { k, search }: { k: number; search: 'as-indexed' | 'exact' },
): AsyncGenerator<Table> {
  const { dims } = gallery.settings;
  const space = search === 'exact' ? { ...indexed, graph: undefined } : indexed;
  const more = Math.min(k + 1, gallery.rows);
  const learned = model.encoder.columns.map(({ name }) => name);
  let first = 0;
  for await (const chunk of reader.chunks(learned, { rows: CHUNK })) {
    context.signal.throwIfAborted();
    const encoded = encodeTable(model.encoder, chunk, first);
    refuseEmpty(encoded, first);
    const latents = await answer.latents(encoded);
    const stride = latents.length / chunk.rows;
    const z = new Float32Array(chunk.rows * dims);
    for (let i = 0; i < chunk.rows; i++) z.set(latents.subarray(i * stride, i * stride + dims), i * dims);
    const { indices, squared } = await searchNearest(space, z, more);
    const column = (value: (query: number, rank: number) => number) => ({
      kind: 'numeric' as const,
      values: Float64Array.from({ length: chunk.rows * k }, (_, i) => value(Math.floor(i / k), i % k)),
    });
    const distance = (query: number, rank: number): number =>
      rank < more ? Math.sqrt(squared[query * more + rank]!) : Number.NaN;
    const start = first;
    yield {
      rows: chunk.rows * k,
      columns: {
        query: column((query) => start + query),
        rank: column((_, rank) => rank + 1),
        object: column((query, rank) => indices[query * more + rank]!),
        distance: column(distance),
        margin: column((query, rank) => distance(query, rank + 1) - distance(query, rank)),
      },
    };
    first += chunk.rows;
    context.progress(first / Math.max(1, reader.rows), `${first} of ${reader.rows} queries`);
  }
}

/** @throws INPUT_INVALID naming the first query without a single value: it would match whatever is average */
function refuseEmpty({ rows, w }: EncodedTable, firstRow: number): void {
  const columns = w.length / rows;
  for (let i = 0; i < rows; i++) {
    if (w.subarray(i * columns, (i + 1) * columns).some((weight) => weight > 0)) continue;
    throw new HourglassError(
      'INPUT_INVALID',
      `${STAGE}: query ${firstRow + i} has no value in any of the ${columns} learned columns (all missing or NaN), so there is nothing to match; leave the row out`,
      { details: { row: firstRow + i } },
    );
  }
}

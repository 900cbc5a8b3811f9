import {
  checkSchema,
  decodeTable,
  encodeTable,
  loadModel,
  predictor,
  type Model,
  type Predictor,
} from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import {
  eachPart,
  ident,
  openDataset,
  queryDataset,
  stackDatasets,
  writeDataset,
  type Column,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { drawCells } from './draw-cells.ts';
import type { impute } from './index.ts';
import { refine } from './refine.ts';
import { isMissing } from './sql.ts';

const CHUNK = 16_384;

/**
 * Fills missing cells. The model's answers are written as a table of their own; which cells they go to is decided in
 * the database, so that every observed cell and every column the model does not know come through bit for bit.
 */
export const run: StageRun<typeof impute> = async (context, { data, model: ref }, options) => {
  const store = context.artifacts;
  const model = await loadModel(store, ref);
  const reader = await openDataset(store, data);
  for (const notice of checkSchema(model.encoder, reader.columns)) context.log.info(notice);
  const learned = new Map(model.encoder.columns.map((column) => [column.name, column]));
  const columns = reader.columns.filter(({ name }) => learned.has(name));
  // Whole numbers keep their fractions only on request, since their own type cannot hold them. A time of day is whole
  // milliseconds to the learner, but its type holds what it needs.
  const exact = (name: string): boolean => {
    const column = learned.get(name);
    if (!options.exact || column?.kind !== 'number' || column.type === 'time') return false;
    return column.integer || column.type === 'integer';
  };
  if (options.draws > 0) checkDraws(model, reader);
  const answer = predictor(await context.engine(), model);
  const missing = new Map(columns.map(({ name }) => [name, 0]));
  const fill: Fill = { context, reader, columns, model, answer, missing, options };
  const complete = async (draw: number): Promise<ArtifactRef> => {
    for (const { name } of columns) missing.set(name, 0);
    const filled = await writeDataset(store, {
      columns: columns.map((column) => (exact(column.name) ? { name: column.name, physical: 'DOUBLE' } : column)),
      parts: eachPart(reader, ({ key }, firstRow) => fillPart(fill, draw, key, firstRow)),
    });
    const flagged = options.flags ? columns.filter(({ name }) => missing.get(name)! > 0) : [];
    const picked = [
      ...(draw > 0 ? [`${draw}::INTEGER AS ${ident(DRAW)}`] : []),
      ...reader.columns.map((column) => pick(column, learned.has(column.name), exact(column.name))),
      ...flagged.map((column) => flagOf(column, reader)),
    ];
    const sql = `SELECT ${picked.join(', ')} FROM data POSITIONAL JOIN filled`;
    return queryDataset(store, { inputs: { data, filled }, perPart: true, sql });
  };
  try {
    const tables: ArtifactRef[] = [];
    for (let draw = Math.min(1, options.draws); draw <= options.draws; draw++) tables.push(await complete(draw));
    const counts = [...missing.values()];
    const cells = counts.reduce((sum, count) => sum + count, 0);
    context.log.info(`filled ${cells} cells in ${counts.filter((count) => count > 0).length} columns`);
    if (options.draws === 0) return { data: tables[0]! };
    // Part draw=1, or draw=1/KEY for each part of a table of several.
    return {
      data: await stackDatasets(store, tables, (k, key, parts) => `${DRAW}=${k + 1}${parts > 1 ? `/${key}` : ''}`),
    };
  } finally {
    answer.dispose();
  }
};

/** Name of the column that tells completed tables apart. */
const DRAW = 'draw';

/** Rounds in which cells are drawn again given the others: enough for rows to forget where they began. */
const ROUNDS = 3;

/** @throws MODEL_INCOMPATIBLE, COLUMN_INVALID */
function checkDraws(model: Model, reader: DatasetReader): void {
  const numbers = model.encoder.columns.some(({ kind }) => kind === 'number');
  if (numbers && !model.heldOut)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `imputation/impute: option draws needs a model that knows the spread of its answers, found one trained without cells put aside; train with validationFraction above 0 (and enough rows: ${model.description.rows} were given)`,
    );
  if (reader.columns.some(({ name }) => name.toLowerCase() === DRAW))
    throw new HourglassError(
      'COLUMN_INVALID',
      `imputation/impute: option draws adds a column "${DRAW}", which the table has already; rename that column or leave draws out`,
      { details: { column: DRAW } },
    );
}

interface Fill {
  context: StageContext;
  reader: DatasetReader;
  columns: Column[];
  model: Model;
  answer: Predictor;
  /** Counted here: missing cells by column. */
  missing: Map<string, number>;
  options: { refine: number; exact: boolean; draws: number };
}

/** The model's answer for every row of a part. */
async function* fillPart(fill: Fill, draw: number, part: string, firstRow: number): AsyncGenerator<Table> {
  const { context, reader, columns, model, answer, missing, options } = fill;
  const unknown = new Set<string>();
  for await (const chunk of reader.chunks(
    columns.map(({ name }) => name),
    { part, rows: CHUNK },
  )) {
    context.signal.throwIfAborted();
    for (const { name } of columns) {
      const data = chunk.columns[name]!;
      let count = 0;
      if (data.kind === 'numeric') for (const value of data.values) count += Number.isNaN(value) ? 1 : 0;
      else for (const code of data.codes) count += code < 0 ? 1 : 0;
      missing.set(name, missing.get(name)! + count);
    }
    const row = firstRow + chunk.offset;
    const encoded = encodeTable(model.encoder, chunk, row);
    for (const [name, cells] of Object.entries(encoded.unknown)) {
      if (!unknown.has(name) && draw <= 1)
        context.log.warn(
          `column ${name}: ${cells} cells hold categories that the model has not seen; they count as unknown`,
        );
      unknown.add(name);
    }
    const likeliest = await refine(answer, encoded, options.refine);
    const reconstruction =
      draw > 0
        ? await drawCells(answer, encoded, likeliest, {
            heldOut: model.heldOut ?? [],
            layout: model.description.network.layout,
            seed: context.seed,
            draw,
            firstRow: row,
            rounds: ROUNDS,
          })
        : likeliest;
    const share = (row + chunk.rows) / Math.max(1, reader.rows);
    context.progress(
      draw > 0 ? (draw - 1 + share) / options.draws : share,
      `filled ${row + chunk.rows} of ${reader.rows} rows${draw > 0 ? `, table ${draw} of ${options.draws}` : ''}`,
    );
    yield decodeTable(model.encoder, reconstruction, { as: options.exact ? 'exact' : 'deliver' });
  }
}

/** SQL of one delivered column. */
function pick(column: Column, learned: boolean, exact: boolean): string {
  const name = ident(column.name);
  if (!learned) return `data.${name} AS ${name}`;
  const observed = exact ? `CAST(data.${name} AS DOUBLE)` : `data.${name}`;
  return `CASE WHEN ${isMissing('data', column)} THEN filled.${name} ELSE ${observed} END AS ${name}`;
}

function flagOf(column: Column, reader: DatasetReader): string {
  const name = `${column.name}_imputed`;
  if (reader.columns.some((other) => other.name.toLowerCase() === name.toLowerCase()))
    throw new HourglassError(
      'COLUMN_INVALID',
      `imputation/impute: option flags adds a column "${name}", which the table has already; rename that column or leave flags out`,
      { details: { column: name } },
    );
  return `${isMissing('data', column)} AS ${ident(name)}`;
}

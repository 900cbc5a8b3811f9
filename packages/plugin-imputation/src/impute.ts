import {
  checkSchema,
  decodeTable,
  encodeTable,
  loadModel,
  predictor,
  type Model,
  type Predictor,
} from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import {
  openDataset,
  queryDataset,
  writeDataset,
  type Column,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import type { impute } from './index.ts';
import { refine } from './refine.ts';
import { isMissing, quoted } from './sql.ts';

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
  // Whole numbers keep their fractions only on request, since their own type cannot hold them.
  const exact = (name: string): boolean => {
    const column = learned.get(name);
    return options.exact && column?.kind === 'number' && (column.integer || column.type === 'integer');
  };
  const answer = predictor(await context.engine(), model);
  const missing = new Map(columns.map(({ name }) => [name, 0]));
  try {
    const filled = await writeDataset(store, {
      columns: columns.map((column) => (exact(column.name) ? { name: column.name, physical: 'DOUBLE' } : column)),
      parts: fillParts({ context, reader, columns, model, answer, missing, options }),
    });
    const flagged = options.flags ? columns.filter(({ name }) => missing.get(name)! > 0) : [];
    const flags = flagged.map((column) => flagOf(column, reader));
    const result = await queryDataset(store, {
      inputs: { data, filled },
      perPart: true,
      sql: `SELECT ${[...reader.columns.map((column) => pick(column, learned.has(column.name), exact(column.name))), ...flags].join(', ')}
        FROM data POSITIONAL JOIN filled`,
    });
    const cells = [...missing.values()].reduce((sum, count) => sum + count, 0);
    context.log.info(`filled ${cells} cells in ${[...missing.values()].filter((count) => count > 0).length} columns`);
    return { data: result };
  } finally {
    answer.dispose();
  }
};

interface Fill {
  context: StageContext;
  reader: DatasetReader;
  columns: Column[];
  model: Model;
  answer: Predictor;
  /** Counted here: missing cells by column. */
  missing: Map<string, number>;
  options: { refine: number; exact: boolean };
}

/** The model's answer for every row: parts with the keys and rows of the data's. */
async function* fillParts(fill: Fill): AsyncGenerator<{ key: string; tables: AsyncIterable<Table> }> {
  let firstRow = 0;
  for (const part of fill.reader.parts) {
    yield { key: part.key, tables: fillPart(fill, part.key, firstRow) };
    firstRow += part.rows;
  }
}

async function* fillPart(fill: Fill, part: string, firstRow: number): AsyncGenerator<Table> {
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
      if (!unknown.has(name))
        context.log.warn(
          `column ${name}: ${cells} cells hold categories that the model has not seen; they count as unknown`,
        );
      unknown.add(name);
    }
    const reconstruction = await refine(answer, encoded, options.refine);
    context.progress(
      (row + chunk.rows) / Math.max(1, reader.rows),
      `filled ${row + chunk.rows} of ${reader.rows} rows`,
    );
    yield decodeTable(model.encoder, reconstruction, { as: options.exact ? 'exact' : 'deliver' });
  }
}

/** SQL of one delivered column. */
function pick(column: Column, learned: boolean, exact: boolean): string {
  const name = quoted(column.name);
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
  return `${isMissing('data', column)} AS ${quoted(name)}`;
}

import { HourglassError } from '@hourglass/core';
import {
  eachPart,
  ident,
  openDataset,
  queryDataset,
  sampleRows,
  writeDataset,
  type ColumnData,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { chooseColumns } from './choose-columns.ts';
import { drawHidden, planHiding } from './hide-cells.ts';
import type { mask } from './index.ts';
import { isMissing } from './sql.ts';

/** Rows that set the levels of mar and mnar. */
const SAMPLE = 100_000;
const CHUNK = 65_536;

/**
 * Hides cells. Draws are made row by row here; which cells go is decided in the database, so that every other cell, its
 * type and its order come through as they are.
 */
export const run: StageRun<typeof mask> = async (context, { data }, options) => {
  const store = context.artifacts;
  const reader = await openDataset(store, data);
  if (reader.rows === 0)
    throw new HourglassError('SOURCE_EMPTY', 'imputation/mask: the table has no rows, so there is no cell to hide');
  const chosen = chooseColumns('imputation/mask', reader.columns, options);
  const names = chosen.map(({ name }) => name);
  const sample = options.mechanism === 'mcar' ? undefined : await sampleRows(reader, names, SAMPLE);
  const plan = planHiding(names, options, context.seed, sample);
  const targets = new Set(plan.targets.map(({ name }) => name));
  if (targets.size < names.length)
    context.log.info(
      `mar: ${names.filter((name) => !targets.has(name)).join(', ')} stay whole and decide what is hidden`,
    );

  const draw = (rows: number, firstRow: number, table?: Table): Table => {
    context.signal.throwIfAborted();
    context.progress((firstRow + rows) / reader.rows, 'hiding cells');
    return booleans(drawHidden(plan, rows, firstRow, table));
  };
  const draws = await writeDataset(store, {
    columns: [...targets].map((name) => ({ name, physical: 'BOOLEAN' })),
    parts: eachPart(reader, (part, firstRow) => drawTables(reader, part, firstRow, draw, plan.reads)),
  });
  const hidden = await queryDataset(store, {
    inputs: { data, draws },
    perPart: true,
    sql: `SELECT ${reader.columns
      .map((column) => {
        const name = ident(column.name);
        return targets.has(column.name)
          ? `(draws.${name} AND NOT ${isMissing('data', column)}) AS ${name}`
          : `false AS ${name}`;
      })
      .join(', ')} FROM data POSITIONAL JOIN draws`,
  });
  const masked = await queryDataset(store, {
    inputs: { data, mask: hidden },
    perPart: true,
    sql: `SELECT ${reader.columns
      .map((column) => {
        const name = ident(column.name);
        return targets.has(column.name)
          ? `CASE WHEN mask.${name} THEN NULL ELSE data.${name} END AS ${name}`
          : `data.${name} AS ${name}`;
      })
      .join(', ')} FROM data POSITIONAL JOIN mask`,
  });
  return { masked, mask: hidden };
};

/** The draws of a part, row for row; its columns are read only where they count. */
async function* drawTables(
  reader: DatasetReader,
  part: DatasetReader['parts'][number],
  firstRow: number,
  draw: (rows: number, firstRow: number, table?: Table) => Table,
  reads: string[],
): AsyncGenerator<Table> {
  if (reads.length > 0)
    for await (const chunk of reader.chunks(reads, { part: part.key, rows: CHUNK }))
      yield draw(chunk.rows, firstRow + chunk.offset, chunk);
  else for (let at = 0; at < part.rows; at += CHUNK) yield draw(Math.min(CHUNK, part.rows - at), firstRow + at);
}

function booleans(hidden: Record<string, Uint8Array>): Table {
  const columns: Record<string, ColumnData> = {};
  for (const [name, cells] of Object.entries(hidden))
    columns[name] = { kind: 'numeric', values: Float64Array.from(cells) };
  return { rows: Object.values(hidden)[0]?.length ?? 0, columns };
}

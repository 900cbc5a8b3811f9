import type { ArtifactStore } from '@hourglass/artifacts';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import {
  eachPart,
  ident,
  openDataset,
  queryDataset,
  writeDataset,
  type Column,
  type DatasetReader,
  type Table,
} from '@hourglass/dataset';
import type { Logger } from '@hourglass/runtime';
import { encodeTable, type EncodedTable } from '../columns/encode.ts';
import { listed } from '../columns/fit.ts';
import { checkSchema } from '../columns/schema.ts';
import type { Model } from './model.ts';

/** Rows in memory at once. */
const CHUNK = 16_384;

export interface ApplySpec {
  /** Columns the model gives. */
  columns(reader: DatasetReader): { name: string; physical: string }[];
  /** Those columns for some rows; `table` holds the same rows as they came. */
  transform(encoded: EncodedTable, table: Table): Promise<Table>;
  /** Columns of the table that stand beside them, untouched. @default those not learned */
  keep?: string[];
  /** Order of the result: the table's, or kept columns first. @default 'kept-first' */
  order?: 'table' | 'kept-first';
}

/** The parts of a stage's context that applying needs. */
export interface ApplyContext {
  artifacts: ArtifactStore;
  signal: AbortSignal;
  log: Logger;
  progress(fraction: number | undefined, message: string): void;
}

/**
 * Applies a model to a dataset part by part with bounded memory; parts, rows and kept columns come through as they are.
 * @throws SCHEMA_MISMATCH, COLUMN_NOT_FOUND, COLUMN_INVALID when a kept column has the name of a new one
 */
export async function applyRows(
  context: ApplyContext,
  model: Model,
  data: ArtifactRef,
  spec: ApplySpec,
): Promise<ArtifactRef> {
  const { artifacts } = context;
  const reader = await openDataset(artifacts, data);
  for (const notice of checkSchema(model.encoder, reader.columns)) context.log.warn(notice);
  const columns = spec.columns(reader);
  const keep = keptColumns(reader.columns, model, columns, spec.keep);
  const seen = new Set<string>();
  const made = await writeDataset(artifacts, {
    columns,
    parts: eachPart(reader, ({ key }, firstRow) => madeTables(context, reader, model, spec, key, firstRow, seen)),
  });
  if (keep.length === 0) return made;
  const names = new Map(columns.map(({ name }) => [name, `made.${ident(name)}`]));
  const all = reader.columns.map(({ name }) => name);
  const chosen =
    spec.order === 'table'
      ? [
          ...all.filter((name) => names.has(name) || keep.includes(name)),
          ...[...names.keys()].filter((name) => !all.includes(name)),
        ]
      : [...keep, ...names.keys()];
  return queryDataset(artifacts, {
    inputs: { data, made },
    perPart: true,
    sql: `SELECT ${chosen.map((name) => `${names.get(name) ?? `data.${ident(name)}`} AS ${ident(name)}`).join(', ')} FROM data POSITIONAL JOIN made`,
  });
}

function keptColumns(columns: Column[], model: Model, made: { name: string }[], asked: string[] | undefined): string[] {
  const learned = new Set(model.encoder.columns.map(({ name }) => name));
  const all = columns.map(({ name }) => name);
  const keep = asked ?? all.filter((name) => !learned.has(name));
  for (const name of keep) {
    if (!all.includes(name))
      throw new HourglassError('COLUMN_NOT_FOUND', `keep: the table has no column "${name}"; it has ${listed(all)}`, {
        details: { option: 'keep', column: name },
      });
    if (made.some((column) => column.name.toLowerCase() === name.toLowerCase()))
      throw new HourglassError(
        'COLUMN_INVALID',
        `the table has a column "${name}" and the model gives one of that name; leave it out of keep, or choose another prefix`,
        { details: { column: name } },
      );
  }
  return keep;
}

async function* madeTables(
  { signal, log, progress }: ApplyContext,
  reader: DatasetReader,
  model: Model,
  spec: ApplySpec,
  part: string,
  firstRow: number,
  seen: Set<string>,
): AsyncGenerator<Table> {
  const names = model.encoder.columns.map(({ name }) => name);
  for await (const chunk of reader.chunks(names, { part, rows: CHUNK })) {
    signal.throwIfAborted();
    const row = firstRow + chunk.offset;
    const encoded = encodeTable(model.encoder, chunk, row);
    for (const name of Object.keys(encoded.unknown))
      if (!seen.has(name)) {
        seen.add(name);
        log.warn(`column "${name}" holds categories the model has not seen; they count as unknown`);
      }
    yield await spec.transform(encoded, chunk);
    progress((row + chunk.rows) / Math.max(1, reader.rows), `${row + chunk.rows} of ${reader.rows} rows`);
  }
}

import type { ArtifactStore } from '@hourglass/artifacts';
import type { ArtifactRef } from '@hourglass/core';
import type { Column, Table } from '@hourglass/dataset';
import type { Engine } from '@hourglass/engine';
import { decodeTable, type DecodeOptions, type Reconstruction } from '../columns/decode.ts';
import { encodeTable, type EncodedTable } from '../columns/encode.ts';
import { checkSchema } from '../columns/schema.ts';
import type { Model } from './model.ts';
import { predictor, type Predictor } from './predictor.ts';
import { loadModel } from './save.ts';

/** A stored model opened for use. */
export interface OpenModel extends Model {
  /** Names of the learned columns: what a table to apply it to must have. */
  columns: string[];
  /** @returns notices @throws SCHEMA_MISMATCH */
  check(columns: readonly Column[]): string[];
  /** Rows of a table as the network sees them. @param firstRow - number of the first row, for messages */
  encode(table: Table, firstRow?: number): EncodedTable;
  decode(reconstruction: Reconstruction, options?: DecodeOptions): Table;
  predictor(engine: Engine): Predictor;
}

/** @throws ARTIFACT_NOT_FOUND, ARTIFACT_CORRUPT, MODEL_INCOMPATIBLE */
export async function openModel(store: ArtifactStore, ref: Pick<ArtifactRef, 'digest'>): Promise<OpenModel> {
  return useModel(await loadModel(store, ref));
}

/** A model in memory opened for use. */
export const useModel = (model: Model): OpenModel => ({
  ...model,
  columns: model.encoder.columns.map((column) => column.name),
  check: (columns) => checkSchema(model.encoder, columns),
  encode: (table, firstRow) => encodeTable(model.encoder, table, firstRow),
  decode: (reconstruction, options) => decodeTable(model.encoder, reconstruction, options),
  predictor: (engine) => predictor(engine, model),
});

import { HourglassError, type ArtifactRef } from '@hourglass/core';
import type { ColumnData, Table } from '@hourglass/dataset';
import type { Engine } from '@hourglass/engine';
import { applyRows, type ApplyContext } from './apply.ts';
import type { Model } from './model.ts';
import { predictor } from './predictor.ts';

export interface EncodeRowsOptions {
  /** Columns that stand before the latents. @default those not learned */
  keep?: string[];
  /** Names of the latent columns: PREFIX1 … @default 'z_' */
  prefix?: string;
  /** The first so many dimensions, of a model with ordered latents. @default all */
  dims?: number;
  /** Take all hidden activations, latents among them, instead of the latents. @default false */
  deep?: boolean;
}

/**
 * Latents of every row as FLOAT columns beside the kept ones.
 * @throws SCHEMA_MISMATCH, COLUMN_NOT_FOUND, COLUMN_INVALID; OPTION_INVALID when `dims` exceeds the latent
 */
export async function encodeRows(
  context: ApplyContext & { engine(): Promise<Engine> },
  model: Model,
  data: ArtifactRef,
  { keep, prefix = 'z_', dims, deep = false }: EncodeRowsOptions = {},
): Promise<ArtifactRef> {
  const { latentDim } = model.description.network;
  const answer = predictor(await context.engine(), model);
  const width = deep ? answer.activationWidth : checkDims(model, dims);
  const stride = deep ? width : latentDim;
  const names = Array.from({ length: width }, (_, k) => `${prefix}${k + 1}`);
  if (model.members.length > 1)
    context.log.info(`the model has ${model.members.length} networks; the latents are those of the first`);
  try {
    return await applyRows(context, model, data, {
      keep,
      columns: () => names.map((name) => ({ name, physical: 'FLOAT' })),
      async transform(encoded) {
        const z = await (deep ? answer.activations(encoded) : answer.latents(encoded));
        return columnsOf(z, encoded.rows, stride, names);
      },
    });
  } finally {
    answer.dispose();
  }
}

/**
 * How many dimensions to read: all, or the first `dims` where they are ordered.
 * @throws OPTION_INVALID when there are not so many, or their order means nothing
 */
export function checkDims({ description }: Pick<Model, 'description'>, dims: number | undefined): number {
  const { latentDim } = description.network;
  if (dims === undefined || dims === latentDim) return latentDim;
  if (dims > latentDim)
    throw new HourglassError(
      'OPTION_INVALID',
      `dims: expected at most ${latentDim}, the size of the model's latent, found ${dims}; ask for less, or train with a larger latentDim`,
    );
  if (description.options.ordered !== true)
    throw new HourglassError(
      'OPTION_INVALID',
      `dims: ${dims} of ${latentDim} dimensions can be taken only of a model whose latents are ordered; train with ordered: true, or with latentDim: ${dims}`,
    );
  return dims;
}

/** Row-major `[n, stride]` as the columns of a table, the first ones. */
function columnsOf(z: Float32Array, rows: number, stride: number, names: string[]): Table {
  const columns = names.map((name, k): [string, ColumnData] => [
    name,
    { kind: 'numeric', values: Float64Array.from({ length: rows }, (_, row) => z[row * stride + k]!) },
  ]);
  return { rows, columns: Object.fromEntries(columns) };
}

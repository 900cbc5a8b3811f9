import {
  checkSchema,
  encodeTable,
  generatorPasses,
  rowBounds,
  takeRows,
  takeTableRows,
  UNKNOWN_CODE,
  type EncodedTable,
} from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { sampleRows, type DatasetReader } from '@hourglass/dataset';
import { mixtureLogDensity } from '@hourglass/metrics';
import type { StageContext } from '@hourglass/plugin-kit';
import type { Generator } from './generator-model.ts';
import { standardNormal } from './latent-prior.ts';
import { mean } from './mean.ts';
import type { Likelihood } from './metrics-schema.ts';

/** Rows at once: each draw of latents is one pass over them. */
const CHUNK = 500;

/**
 * How likely rows are to the model, by an importance-weighted bound. Rows with a cell that the model has no class for (a new
 * category, missing where nothing was in training) have no likelihood and are left out.
 * @throws SCHEMA_MISMATCH when the rows lack a learned column; DATA_INSUFFICIENT when no row has a likelihood
 */
export async function measureLikelihood(
  context: StageContext,
  stage: string,
  { model, heads, prior }: Generator,
  reader: DatasetReader,
  { rows, latents }: { rows: number; latents: number },
): Promise<Likelihood> {
  const { encoder } = model;
  checkSchema(encoder, reader.columns);
  const names = encoder.columns.map(({ name }) => name);
  const table = await sampleRows(reader, names, rows);
  const missing = heads.map((head) => head.missing);
  const encoded = encodeTable(encoder, table);
  const kept = tellable(encoded, missing);
  if (kept.length === 0)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${stage}: every row of \`test\` holds a category or a missing cell that the model has never seen, so none has a likelihood; set latents: 0, or give rows of the same kind`,
    );
  const passes = await generatorPasses(await context.engine(), model);
  const d = passes.latentDim;
  const priors = [standardNormal(d), prior].map(
    (mixture) => (z: Float32Array) => mixtureLogDensity(mixture, { rows: z.length / d, cols: d, data: z }),
  );
  const [normal, mixture]: number[][] = [[], []];
  try {
    for (let from = 0; from < kept.length; from += CHUNK) {
      const part = kept.slice(from, from + CHUNK);
      const options = { priors, samples: latents, seed: context.seed + from, signal: context.signal };
      const bounds = await rowBounds(
        model,
        heads,
        passes,
        takeTableRows(table, part),
        takeRows(encoded, part),
        options,
      );
      normal!.push(...bounds[0]!);
      mixture!.push(...bounds[1]!);
    }
  } finally {
    passes.dispose();
  }
  const nats = mean(normal!);
  const variance = normal!.reduce((sum, value) => sum + (value - nats) ** 2, 0) / Math.max(1, normal!.length - 1);
  return {
    nats,
    mixtureNats: mean(mixture!),
    error: Math.sqrt(variance / normal!.length),
    latents,
    rows: normal!.length,
  };
}

/** Rows without a cell of no class. @param missing whether missing is a class of a column */
function tellable({ rows, w, codes }: EncodedTable, missing: readonly boolean[]): number[] {
  const q = codes.length / Math.max(1, rows);
  return Array.from({ length: rows }, (_, row) => row).filter(
    (row) =>
      missing.every((told, j) => told || w[row * missing.length + j]! > 0) &&
      !codes.subarray(row * q, (row + 1) * q).includes(UNKNOWN_CODE),
  );
}

import type { ArtifactRef } from '@hourglass/core';
import type { BenchmarkResult } from './benchmark.ts';
import { labelledTable } from './labelled-tables.ts';
import type { RunStage } from './run-stage.ts';
import { worthCells, type Worth } from './synthetic-worth.ts';

type Row = BenchmarkResult['rows'][number];

/** Rows of `synthetic-data/evaluate` whose likelihood is measured, and latents a row: what papers take. */
const LIKELIHOOD = { latents: 500, likelihoodRows: 5000 };

const ON_OFF = {
  decoder: 'bernoulli',
  latentDim: 32,
  blocks: 2,
  epochs: 30,
  batchSize: 128,
  warmup: 5,
  dropout: 0.1,
  swapRate: 0,
} as const;

/**
 * MNIST as pictures: `mnist`, their likelihood; `mnist12` and `mnist28`, 145 and 785 columns that are on or off, of which
 * drawn ones teach learners (the two tables of the CTGAN paper).
 */
export const DIGITS = {
  mnist: {
    exclude: ['label'],
    decoder: 'bernoulli',
    latentDim: 50,
    width: 512,
    blocks: 2,
    dropout: 0,
    swapRate: 0,
    batchSize: 128,
    epochs: 45,
    validationFraction: 0.01,
    freeBits: 0,
    warmup: 10,
    patience: 1000,
    weightDecay: 1e-4,
  },
  mnist12: { ...ON_OFF, width: 256 },
  mnist28: { ...ON_OFF, width: 512 },
} as const;
export type DigitsTable = keyof typeof DIGITS;

/** Learns MNIST's own training rows, judges by its test rows. */
export async function measureDigits(stage: RunStage, table: DigitsTable, seed: number): Promise<Row> {
  const { train, test } = await labelledTable(stage, 'mnist');
  return table === 'mnist' ? likelihood(stage, train, test, seed) : usefulness(stage, table, train, test, seed);
}

async function likelihood(stage: RunStage, train: ArtifactRef, test: ArtifactRef, seed: number): Promise<Row> {
  const learned = await stage('synthetic-data/train', DIGITS.mnist, { data: train }, seed);
  const model = learned.outputs.model!;
  const drawn = await stage('synthetic-data/sample', { rows: 1000 }, { model }, seed);
  const { metrics } = await stage(
    'synthetic-data/evaluate',
    { ...LIKELIHOOD, maxRows: 1000, baselines: [] },
    { synthetic: drawn.outputs.data!, train, test, model },
    seed,
  );
  const { nats, mixtureNats, error } = (metrics.metrics as { likelihood: Record<string, number> }).likelihood;
  return {
    table: 'mnist',
    method: 'Hourglass synthetic-data/train',
    'NLL, N(0, I)': `${nats!.toFixed(2)} ± ${error!.toFixed(2)}`,
    'NLL, mixture': mixtureNats!.toFixed(2),
    seconds: Number(learned.seconds.toFixed(1)),
  };
}

async function usefulness(
  stage: RunStage,
  table: Exclude<DigitsTable, 'mnist'>,
  greyTrain: ArtifactRef,
  greyTest: ArtifactRef,
  seed: number,
): Promise<Row> {
  const binary = async (data: ArtifactRef): Promise<ArtifactRef> =>
    (await stage('data/sql', { sql: table === 'mnist12' ? SMALL : LARGE }, { a: data })).outputs.data!;
  const [train, test] = [await binary(greyTrain), await binary(greyTest)];
  const learned = await stage('synthetic-data/train', DIGITS[table], { data: train }, seed);
  const drawn = await stage('synthetic-data/sample', { elements: 'drawn' }, { model: learned.outputs.model! }, seed);
  const { metrics } = await stage(
    'synthetic-data/evaluate',
    { label: 'label', baselines: [], maxRows: 10_000 },
    { synthetic: drawn.outputs.data!, train, test },
    seed,
  );
  return {
    table,
    method: 'Hourglass synthetic-data/train + sample',
    ...worthCells([metrics.metrics as unknown as Worth]),
    seconds: Number((learned.seconds + drawn.seconds).toFixed(1)),
  };
}

const LARGE = 'SELECT list_transform(pixels, p -> (p > 127)::UTINYINT) AS pixels, label::VARCHAR AS label FROM a';

/** Where the four pixels begin that lie around the middle of the k-th part of twelve by twelve. */
const along = (place: string): string => `floor((${place} + 0.5) * 28 / 12 - 0.5)::INT`;
const begin = `1 + 28 * ${along('k // 12')} + ${along('k % 12')}`;
const SMALL = `
  SELECT list_transform(range(144), k ->
      (${[0, 1, 28, 29].map((step) => `pixels[${begin} + ${step}]::INT`).join(' + ')} > 4 * 127)::UTINYINT) AS pixels,
    label::VARCHAR AS label
  FROM a`;

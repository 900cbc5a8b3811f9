import { learnerOptions } from '@hourglass/autoencoder/options';
import { z } from 'zod';

const { columns, exclude } = learnerOptions;
const other = <S extends z.ZodType>(option: z.ZodDefault<S>) => option.unwrap();

/** Which columns of a table, for every stage over tables. */
export const tableColumns = {
  columns: columns.describe('Columns of numbers to clean. Default: all of them; everything else passes through.'),
  exclude: exclude.describe('Columns of numbers to leave as they are: ids, labels, names written as numbers.'),
} as const;

/** Options of learning on tables, for manifests. Data only: importing this loads no tensors. */
export const tableLearnerOptions = {
  ...tableColumns,
  neighbours: z
    .int()
    .min(0)
    .max(256)
    .default(0)
    .describe(
      'Time series: rows before and after a row that the network sees beside it, in the table’s order; parts are series of their own. 0: rows stand alone.',
    ),
  latentDim: other(learnerOptions.latentDim)
    .default(64)
    .describe('Size of the latent, d; wide, since nothing is to be compressed.'),
  architecture: learnerOptions.architecture,
  skip: z
    .enum(['none', 'linear'])
    .default('linear')
    .describe('What the network corrects: a linear map of the noisy row, or nothing.'),
  pieces: learnerOptions.pieces,
  answers: learnerOptions.answers,
  width: other(learnerOptions.width).default(256).describe('Width of the hidden layers.'),
  blocks: other(learnerOptions.blocks)
    .default(2)
    .describe('Residual blocks (or hidden layers) on each side of the latent.'),
  dropout: learnerOptions.dropout,
  epochs: other(learnerOptions.epochs).default(100).describe('Passes over the training rows at most.'),
  batchSize: learnerOptions.batchSize,
  learningRate: learnerOptions.learningRate,
  schedule: learnerOptions.schedule,
  weightDecay: learnerOptions.weightDecay,
  clipNorm: learnerOptions.clipNorm,
  ensemble: learnerOptions.ensemble,
  validationFraction: learnerOptions.validationFraction,
  maxRows: learnerOptions.maxRows,
  shardMiB: learnerOptions.shardMiB,
  patience: learnerOptions.patience,
} as const;

/** Resolved options of learning on tables. */
export type TableLearnerOptions = z.output<z.ZodObject<typeof tableLearnerOptions>>;

import { z } from 'zod';
import { NORMALISATIONS } from './columns/normalisations.ts';
import { ANSWERS } from './network/answers.ts';
import {
  ARCHITECTURES,
  IMAGE_ARCHITECTURES,
  VARIATIONAL_ARCHITECTURES,
  type Architecture,
} from './network/architectures.ts';
import { BETA_SCHEDULES } from './variational/beta.ts';
import { DECODERS } from './variational/heads.ts';

/**
 * The options every learner shares, for manifests: `z.object({ ...learnerOptions, mine: … })`. Data only: importing this
 * loads no tensors.
 */
export const learnerOptions = {
  columns: z.array(z.string()).optional().describe('Columns to learn; all others pass through. Default: all.'),
  exclude: z.array(z.string()).default([]).describe('Columns not to learn: ids, labels, free text.'),
  categorical: z.array(z.string()).default([]).describe('Numeric columns whose values are names, not amounts.'),
  text: z
    .enum(['refuse', 'pass'])
    .default('refuse')
    .describe('Free text columns: an error that names them, or passing them through unlearned.'),
  maxCategories: z
    .int()
    .min(2)
    .max(10_000)
    .default(256)
    .describe('Categories with a code of their own; rarer ones share 64 codes by hash.'),
  normalisation: z
    .enum(NORMALISATIONS)
    .default('rank-gauss')
    .describe(
      'How numbers enter the network. rank-gauss (quantile → normal) stands outliers and skew; pooled: one scale for columns of one unit, such as pixels.',
    ),
  architecture: z
    .enum(ARCHITECTURES)
    .default('residual')
    .describe('Network body: residual blocks with LayerNorm and GELU, a plain bottleneck MLP, or linear (PCA).'),
  skip: z
    .enum(['none', 'linear', 'gaussian'])
    .default('none')
    .describe('What the network corrects: nothing, a linear map of the input, or the conditional normal of the table.'),
  pieces: z
    .int()
    .min(0)
    .max(256)
    .default(0)
    .describe('Quantile pieces each number is also shown in, so that the network sees steps as a tree does. 0: none.'),
  answers: z
    .enum(ANSWERS)
    .default('value')
    .describe(
      'How numbers are answered: by a value, or by a distribution over the bounds of their pieces (needs pieces) whose mean is the answer; better for few-valued, zero-heavy and skewed columns.',
    ),
  latentDim: z.int().min(1).max(4096).default(16).describe('Size of the latent, d.'),
  width: z.int().min(1).max(4096).default(128).describe('Width of the hidden layers.'),
  blocks: z.int().min(0).max(32).default(1).describe('Residual blocks (or hidden layers) on each side of the latent.'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Share of hidden units silenced in a step.'),
  epochs: z.int().min(1).max(100_000).default(200).describe('Passes over the training rows at most.'),
  batchSize: z.int().min(1).max(65_536).default(128).describe('Rows a step.'),
  learningRate: z.number().min(0).max(10).default(2e-3).describe('Peak learning rate of AdamW.'),
  schedule: z
    .enum(['one-cycle', 'cosine', 'constant'])
    .default('one-cycle')
    .describe('Course of the learning rate over all epochs.'),
  weightDecay: z.number().min(0).max(10).default(0.01).describe('Decoupled weight decay of kernels.'),
  clipNorm: z.number().positive().default(1).describe('Gradients are clipped to this global norm.'),
  ensemble: z.int().min(1).max(100).default(1).describe('Networks trained from different seeds and averaged.'),
  validationFraction: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe('Share of the data that is not trained on and decides when to stop. 0: train all epochs.'),
  maxRows: z
    .int()
    .min(2)
    .default(500_000)
    .describe(
      'Rows the network trains on at most; of larger tables a seeded sample. The columns are fitted on all rows.',
    ),
  shardMiB: z
    .int()
    .min(1)
    .max(65_536)
    .default(64)
    .describe(
      'Rows in memory at once while training, in MiB. Larger tables (up to maxRows) are put on disk and trained shard by shard; two shards are held.',
    ),
  patience: z.int().min(1).default(30).describe('Epochs without a better validation loss before stopping.'),
} as const;

/** Resolved learner options. */
export type LearnerOptions = Omit<z.output<z.ZodObject<typeof learnerOptions>>, 'architecture'> & {
  architecture: Architecture;
};

const { skip: _, answers: __, ...withoutSkip } = learnerOptions;

/**
 * The options of learners whose latent is what counts: `z.object({ ...latentOptions, … })`. No skip, since it would carry
 * the row around the latent.
 */
export const latentOptions = {
  ...withoutSkip,
  architecture: z
    .enum(IMAGE_ARCHITECTURES)
    .default('residual')
    .describe(
      'Network body: residual blocks with LayerNorm and GELU, a plain bottleneck MLP, linear (PCA), or for images (see shape) convolutions.',
    ),
  width: learnerOptions.width.describe('Width of the hidden layers; conv: channels of the image at its smallest.'),
  normalisation: learnerOptions.normalisation
    .unwrap()
    .default('standard')
    .describe(
      'How numbers enter the network: standard, as principal components are customary; pooled, one scale for columns of one unit, such as pixels; rank-gauss against outliers and skew; robust; min-max.',
    ),
  base: z
    .enum(['pca', 'none'])
    .default('pca')
    .describe(
      'pca: the network begins as principal components of the numeric columns and learns what to add to them. none: it learns everything itself.',
    ),
  bounded: z
    .boolean()
    .default(true)
    .describe(
      'Answers of numbers stay within the range each column had in training, and the network learns knowing it. Not of a linear network.',
    ),
  shape: z
    .tuple([z.int().min(2), z.int().min(2)])
    .optional()
    .describe('Rows and columns of the image that the learned numbers are: needed by warp and architecture: conv.'),
  warp: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe(
      'Images enter the network turned, slanted, stretched and moved by up to this share, the answer is the image as it was: what is alike but for that comes near in the latent. 0: none; 0.2 suits digits.',
    ),
  swapRate: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe('Swap noise: share of cells that take the value of another row while training. 0: none.'),
  contrast: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      'Weight of a second aim: two views of a row (warped, cells swapped) come near each other in the latent and apart from other rows, so that a row is known again however it is seen. Much of it drives rows of a kind apart, unless neighbours are drawn together. Needs warp, swapRate or neighbours. 0: none.',
    ),
  neighbours: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      'What contrast draws to a row: 0, another view of the row itself; k, one of the k rows nearest to it, so that the latent keeps neighbourhoods and rows of a kind gather. 10 suits most tables. All rows must fit into shardMiB.',
    ),
  ordered: z
    .boolean()
    .default(false)
    .describe(
      'Order the latent as principal components are (nested dropout): the first k dimensions are the best k, so that one model serves every size up to latentDim.',
    ),
} as const;

/** Resolved options of a learner whose latent is what counts. */
export type LatentOptions = z.output<z.ZodObject<typeof latentOptions>>;

/**
 * What a model file can give. `latent`: `[rows, d]`, of the first network. `reconstructed`: what each cell should hold, an
 * output `NAME.reconstructed` a column. `filled`: `NAME.filled`, the same in missing cells only, observed ones as they are.
 * `error`: `[rows, 1]`, how far what the latent holds is from the row. `prediction`: of a model with a head, `[rows, 1]`, or
 * `probabilities` `[rows, classes]`.
 */
export const MODEL_OUTPUTS = ['latent', 'reconstructed', 'filled', 'error', 'prediction'] as const;
export type ModelOutput = (typeof MODEL_OUTPUTS)[number];

/** The metrics every train stage gives, for manifests: `artifact.metrics(learnerMetrics)`. */
export const learnerMetrics = z.object({
  loss: z.number().describe('Training loss of the last epoch, mean over members; 1 ≈ knowing only the marginals.'),
  validationLoss: z.number().optional().describe('Of the weights kept, mean over members.'),
  bestEpoch: z.number().describe('Epoch whose weights were kept, mean over members.'),
  epochs: z.number().describe('Epochs trained, mean over members.'),
  steps: z.number().describe('Steps taken, sum over members.'),
  parameters: z.number().describe('Trained numbers of one network.'),
  rows: z.number().describe('Rows of the training table.'),
  columns: z.number().describe('Columns learned.'),
  members: z.number().describe('Networks in the ensemble.'),
});
export type LearnerMetrics = z.output<typeof learnerMetrics>;

/** Options of variational learners on tables, whose decoder gives a distribution of each cell. */
export const variationalOptions = {
  columns: learnerOptions.columns,
  exclude: learnerOptions.exclude,
  categorical: learnerOptions.categorical,
  maxCategories: learnerOptions.maxCategories,
  modes: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe('Modes of a number at most: components of the mixture its values are told by.'),
  decoder: z
    .enum(DECODERS)
    .default('gaussian')
    .describe(
      'Lists of numbers (pixels). gaussian: elements are normal, one deviation for all. bernoulli: each is on or off, with the chance its grey value says.',
    ),
  architecture: z
    .enum(VARIATIONAL_ARCHITECTURES)
    .default('residual')
    .describe(
      'Network body: residual blocks with LayerNorm and GELU, or convolutions over the one list of numbers that is an image (see shape).',
    ),
  shape: latentOptions.shape.unwrap().optional().describe('conv: rows and columns of the image.'),
  latentDim: learnerOptions.latentDim,
  width: learnerOptions.width
    .unwrap()
    .default(256)
    .describe('Width of the hidden layers; conv: channels of the image at its smallest.'),
  blocks: learnerOptions.blocks,
  dropout: learnerOptions.dropout
    .unwrap()
    .default(0.25)
    .describe(
      'Share of activations dropped while training: rows are less known by heart, drawn ones further from them.',
    ),
  beta: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe(
      'Weight of the KL term. 1: the evidence lower bound. Less keeps more of each row in the latent: likelier rows, nearer to those learned from.',
    ),
  betaSchedule: z
    .enum(BETA_SCHEDULES)
    .default('linear')
    .describe('constant; linear: rises from 0 over `warmup` epochs; cyclic: rises so again and again.'),
  warmup: z.int().min(0).max(100_000).default(20).describe('Epochs in which β rises.'),
  freeBits: z
    .number()
    .min(0)
    .max(10)
    .default(0.05)
    .describe('Nats that each latent dimension may hold without cost, so that none falls silent.'),
  swapRate: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.03)
    .describe(
      'Share of cells the encoder sees of another row while training, so that it cannot know rows by heart. 0: none.',
    ),
  epochs: learnerOptions.epochs,
  batchSize: learnerOptions.batchSize.unwrap().default(256).describe('Rows a step.'),
  learningRate: learnerOptions.learningRate,
  schedule: learnerOptions.schedule,
  weightDecay: learnerOptions.weightDecay,
  clipNorm: learnerOptions.clipNorm,
  validationFraction: learnerOptions.validationFraction,
  maxRows: learnerOptions.maxRows
    .unwrap()
    .default(100_000)
    .describe('Rows the network trains on at most; of larger tables evenly spread windows.'),
  patience: learnerOptions.patience,
} as const;

import { z } from 'zod';
import { AUGMENTATIONS } from './augmentations.ts';

/** The options every learner over pictures shares, for manifests. Data only: importing this loads no tensors. */
export const imageLearnerOptions = {
  column: z.string().optional().describe('Column that holds the pictures. Default: the one that does.'),
  patch: z
    .int()
    .min(4)
    .max(512)
    .optional()
    .describe('Side of the squares trained on, in pixels. Default: the first picture’s shorter side, at most 64.'),
  patchesPerImage: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Squares taken from each picture, at places drawn by the seed. Default: as many as fit side by side, at most 64.',
    ),
  width: z
    .int()
    .min(4)
    .max(512)
    .default(24)
    .describe('Channels of the U-Net at full size; each level down has twice as many.'),
  levels: z.int().min(1).max(5).default(3).describe('Sizes the U-Net sees a picture at: 3 is full, half and quarter.'),
  blocks: z.int().min(1).max(8).default(1).describe('Residual blocks on each side of a level.'),
  augment: z
    .enum(AUGMENTATIONS)
    .default('mirror')
    .describe(
      'mirror: left and right swapped at random, as photographs allow. all: flips and quarter turns. none: for digits and text.',
    ),
  epochs: z.int().min(1).max(10_000).default(20).describe('Passes over the squares.'),
  batchSize: z.int().min(1).max(4096).default(32).describe('Squares a step.'),
  learningRate: z.number().min(0).max(10).default(1e-3).describe('Peak learning rate of AdamW.'),
  schedule: z
    .enum(['one-cycle', 'cosine', 'constant'])
    .default('one-cycle')
    .describe('Course of the learning rate over all epochs.'),
  weightDecay: z.number().min(0).max(10).default(1e-4).describe('Decoupled weight decay of kernels.'),
  clipNorm: z.number().positive().default(1).describe('Gradients are clipped to this global norm.'),
  validationFraction: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe('Share of the pictures that is not trained on and decides which weights are kept. 0: the last ones.'),
  patience: z.int().min(1).default(30).describe('Epochs without a better validation loss before stopping.'),
  shardMiB: z
    .int()
    .min(1)
    .max(65_536)
    .default(128)
    .describe('Squares in memory as numbers at once, in MiB; more are converted shard by shard.'),
} as const;

/** Mean of answers instead of one, for stages that apply a model to pictures. */
export const selfEnsemble = z
  .boolean()
  .default(false)
  .describe(
    'Answer by the mean over the flips and turns that training drew (`augment`): a little better, two or eight times slower.',
  );

/** Resolved options of a learner over pictures. */
export type ImageLearnerOptions = z.output<z.ZodObject<typeof imageLearnerOptions>>;

/** The metrics its train stage gives. */
export const imageLearnerMetrics = z.object({
  loss: z.number().describe('Training loss of the last epoch.'),
  validationLoss: z.number().optional().describe('Of the weights kept.'),
  bestEpoch: z.number().describe('Epoch whose weights were kept.'),
  epochs: z.number().describe('Epochs trained.'),
  steps: z.number().describe('Steps taken.'),
  parameters: z.number().describe('Trained numbers of the network.'),
  images: z.number().describe('Pictures trained on.'),
  patches: z.number().describe('Squares trained on.'),
  skipped: z.number().describe('Pictures left out by an option.'),
});
export type ImageLearnerMetrics = z.output<typeof imageLearnerMetrics>;

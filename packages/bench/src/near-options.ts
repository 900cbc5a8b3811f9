/**
 * Training that keeps neighbourhoods of MNIST in few dimensions, which do not hold an image but can tell what is near what:
 * for every stage that learns a latent.
 */
export const NEAR_ROWS = {
  architecture: 'mlp',
  blocks: 2,
  batchSize: 256,
  learningRate: 0.002,
  contrast: 10,
  neighbours: 15,
  weightDecay: 0,
  validationFraction: 0,
  shardMiB: 1024,
} as const;

/** The same in eight dimensions. */
export const NEAR_ROWS_8 = {
  ...NEAR_ROWS,
  latentDim: 8,
  width: 512,
  shape: [28, 28],
  warp: 0.2,
  epochs: 15,
} as const;

import { latentOptions, learnerMetrics } from '@hourglass/autoencoder/options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { HEAD } from './head-name.ts';
import { classifierMetrics, efficiencyMetrics, regressorMetrics } from './metrics-schema.ts';

const engine = { engine: true, accelerator: 'preferred' } as const;
const kind = z
  .enum(['deep', 'latent'])
  .default('deep')
  .describe('deep: all hidden activations with the latent among them; latent: the latent alone.');

/** Learns features from rows without labels. */
export const train = defineStage({
  id: 'feature-extraction/train',
  version: 1,
  summary: 'Learn features from rows, labels left aside',
  inputs: { data: artifact.dataset('Rows to learn from: never those that will be tested on') },
  outputs: { model: artifact.model('feature-extraction'), metrics: artifact.metrics(learnerMetrics) },
  options: z.object({
    ...latentOptions,
    normalisation: latentOptions.normalisation
      .unwrap()
      .default('rank-gauss')
      .describe('How numbers enter the network.'),
    latentDim: latentOptions.latentDim.unwrap().default(32).describe('Size of the latent, d.'),
    base: latentOptions.base
      .unwrap()
      .default('none')
      .describe('pca: begin as principal components; none: learn everything, which makes richer hidden features.'),
    label: z.string().optional().describe('The column to be predicted later: never learned from.'),
    swapRate: latentOptions.swapRate.unwrap().default(0.15).describe(latentOptions.swapRate.description!),
  }),
  resources: { ...engine, checkpoint: true },
});

/** Features of every row beside ids and label. */
export const transform = defineStage({
  id: 'feature-extraction/transform',
  version: 1,
  summary: 'Write features f_1 … beside ids and label',
  inputs: { data: artifact.dataset(), model: artifact.model('feature-extraction') },
  outputs: { data: artifact.dataset('Kept columns, then one FLOAT column for each feature') },
  options: z.object({
    keep: z
      .array(z.string())
      .optional()
      .describe('Columns that come along untouched. Default: those the model did not learn (ids, label).'),
    kind,
    prefix: z.string().min(1).default('f_').describe('Names of the features: PREFIX1, PREFIX2 …'),
  }),
  resources: engine,
});

/** How many labels the features save. */
export const evaluate = defineStage({
  id: 'feature-extraction/evaluate',
  version: 1,
  summary: 'Label efficiency: simple learners on raw columns, PCA and features, by number of labels',
  inputs: {
    model: artifact.model('feature-extraction'),
    train: artifact.dataset('The rows the model learned from, with their labels'),
    test: artifact.dataset('Rows the model has not seen, with their labels'),
  },
  outputs: {
    metrics: artifact.metrics(efficiencyMetrics),
    figures: artifact.figures('Accuracy by number of labels'),
  },
  options: z.object({
    label: z.string().describe('Column with classes.'),
    budgets: z
      .array(z.int().min(2))
      .min(1)
      .default([100, 300, 1000])
      .describe('Numbers of labelled rows to learn from.'),
    repeats: z.int().min(1).max(50).default(3).describe('Draws of labelled rows a budget; spread is over them.'),
    learners: z
      .array(z.enum(['logistic', 'knn']))
      .min(1)
      .default(['logistic', 'knn'])
      .describe(
        'Simple learners: logistic regression, whose penalty is chosen on a quarter of the labels; 5 nearest neighbours.',
      ),
    kind,
    maxTest: z.int().min(1).default(4000).describe('Test rows at most, taken evenly.'),
  }),
  resources: engine,
});

const labelled = {
  model: artifact.model('feature-extraction'),
  data: artifact.dataset('Labelled rows; those without a label are left out'),
};

const putAside = (to: string) =>
  z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.2)
    .describe(`Share of the labelled rows put aside to choose the penalty and ${to}.`);

/** A classifier on frozen features. */
export const fitClassifier = defineStage({
  id: 'feature-extraction/fit-classifier',
  version: 2,
  summary: 'Fit a calibrated classifier on frozen features',
  inputs: labelled,
  outputs: { classifier: artifact.model(HEAD), metrics: artifact.metrics(classifierMetrics) },
  options: z.object({
    label: z.string().describe('Column with classes.'),
    kind,
    calibration: putAside('calibrate the probabilities'),
  }),
  resources: engine,
});

/** A regression on frozen features. */
export const fitRegressor = defineStage({
  id: 'feature-extraction/fit-regressor',
  version: 1,
  summary: 'Fit a regression with intervals on frozen features',
  inputs: labelled,
  outputs: { regressor: artifact.model(HEAD), metrics: artifact.metrics(regressorMetrics) },
  options: z.object({
    label: z.string().describe('Column with numbers.'),
    kind,
    calibration: putAside('measure how far answers are off'),
    coverage: z
      .number()
      .min(0.5)
      .max(0.999)
      .default(0.9)
      .describe('Share of rows whose number is to lie between `low` and `high` of its prediction.'),
  }),
  resources: engine,
});

/** What a head answers. */
export const predict = defineStage({
  id: 'feature-extraction/predict',
  version: 2,
  summary: 'Predict classes with calibrated probabilities, or numbers with intervals',
  inputs: { head: artifact.model(HEAD, 'A classifier or a regressor'), data: artifact.dataset() },
  outputs: {
    data: artifact.dataset(
      'Kept columns, then `prediction`; of classes `probability` and one column a class, of numbers `low` and `high`',
    ),
  },
  options: z.object({
    keep: z
      .array(z.string())
      .optional()
      .describe('Columns that come along untouched. Default: those the model did not learn.'),
  }),
  resources: engine,
});

export default definePlugin({
  name: 'feature-extraction',
  summary: 'Learn features from unlabelled rows for supervised models',
  stages: { train, transform, evaluate, 'fit-classifier': fitClassifier, 'fit-regressor': fitRegressor, predict },
});

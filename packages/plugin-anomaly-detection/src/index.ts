import { learnerOptions } from '@hourglass/autoencoder/options';
import { driftLimits, driftMetrics } from '@hourglass/metrics/drift-options';
import { artifact, definePlugin, defineStage } from '@hourglass/plugin-kit';
import { z } from 'zod';
import { COMPONENTS } from './component-names.ts';
import { BASELINES, calibrationMetrics, detectorMetrics, evaluationMetrics, scoreMetrics } from './metrics-schema.ts';
import { labelOptions } from './label-options.ts';

/** Learns what normal rows look like. */
export const train = defineStage({
  id: 'anomaly-detection/train',
  version: 1,
  summary: 'Learn what normal rows look like',
  inputs: {
    data: artifact.dataset('Normal rows, or rows of which `label` says which are; a few others do little harm'),
  },
  outputs: { model: artifact.model('anomaly-detection'), metrics: artifact.metrics(detectorMetrics) },
  options: z.object({
    ...learnerOptions,
    ...labelOptions,
    normalisation: learnerOptions.normalisation
      .unwrap()
      .default('standard')
      .describe('How numbers enter the network. standard keeps distances; rank-gauss would pull outliers in.'),
    latentDim: learnerOptions.latentDim
      .unwrap()
      .default(4)
      .describe('Size of the latent, d, where latentDims is empty.'),
    latentDims: z
      .array(z.int().min(1).max(4096))
      .default([])
      .describe('Sizes to try: kept is the one whose scores tell held-out rows best from spoiled ones.'),
    epochs: learnerOptions.epochs.unwrap().default(100).describe('Passes over the training rows at most.'),
    scores: z
      .array(z.enum(COMPONENTS))
      .min(1)
      .default([...COMPONENTS])
      .describe(
        'What is looked at: reconstruction error of cells, distance to the nearest latent, to the nearest row, local ' +
          'density, how rare each value is. Weights are chosen without labels.',
      ),
    contamination: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe('Share of the rows that may be anomalies: that many, the most unusual, are set aside before learning.'),
    holdout: z
      .number()
      .gt(0)
      .max(0.5)
      .default(0.2)
      .describe('Share of the normal rows that scores are weighed on; the networks do not see them.'),
    bankRows: z
      .int()
      .min(50)
      .default(20_000)
      .describe('Training rows kept in the model for comparison at most; more rows, finer and slower.'),
  }),
  resources: { engine: true, accelerator: 'preferred', checkpoint: true },
});

/** Chooses the score from which a row is flagged. */
export const calibrate = defineStage({
  id: 'anomaly-detection/calibrate',
  version: 1,
  summary: 'Choose the threshold that keeps a rate of false alarms',
  inputs: {
    data: artifact.dataset('Normal rows that the model was not trained on'),
    model: artifact.model('anomaly-detection'),
  },
  outputs: { threshold: artifact.model('anomaly-threshold'), metrics: artifact.metrics(calibrationMetrics) },
  options: z.object({
    ...labelOptions,
    level: z
      .number()
      .gt(0, 'must be above 0: at 0 nothing is ever flagged')
      .lt(1, 'must be below 1: at 1 every row is flagged')
      .default(0.01)
      .describe('Share of normal rows that may be flagged; with method bh: of the flagged rows that may be normal.'),
    method: z
      .enum(['conformal', 'bh', 'pot', 'quantile'])
      .default('conformal')
      .describe(
        'conformal: p-values by rank among the calibration rows. bh: those, flagged by Benjamini–Hochberg over a table. ' +
          'pot: a generalised Pareto tail, for levels below 1 / rows. quantile: the plain quantile.',
      ),
    time: z.string().optional().describe('Date or timestamp column: tells how many rows make a day'),
    rowsPerDay: z.number().positive().optional().describe('Rows of a day, where no column tells'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Scores rows. */
export const score = defineStage({
  id: 'anomaly-detection/score',
  version: 1,
  summary: 'Score every row: p-value, flag and the columns behind it',
  inputs: {
    data: artifact.dataset(),
    model: artifact.model('anomaly-detection'),
    threshold: artifact.optional(artifact.model('anomaly-threshold', 'Without it there are scores only')),
  },
  outputs: {
    data: artifact.dataset('The table, then score, p_value, anomaly, and why_1, why_1_seen, why_1_expected …'),
    flagged: artifact.dataset('Those rows that are flagged; none without a threshold'),
    metrics: artifact.metrics(scoreMetrics),
  },
  options: z.object({
    reasons: z.int().min(0).max(20).default(3).describe('Columns named with each row, the most unusual first'),
    prefix: z.string().default('').describe('Put before the names of the new columns'),
  }),
  resources: { engine: true, accelerator: 'preferred' },
});

/** Scores the scores. */
export const evaluate = defineStage({
  id: 'anomaly-detection/evaluate',
  version: 1,
  summary: 'Measure scores against labels and simple detectors',
  inputs: {
    scored: artifact.dataset('`data` of anomaly-detection/score, with a column that says what a row is'),
    model: artifact.model('anomaly-detection'),
    threshold: artifact.optional(artifact.model('anomaly-threshold')),
    train: artifact.optional(artifact.dataset('Rows the model was trained on: what baselines are fitted on')),
  },
  outputs: { metrics: artifact.metrics(evaluationMetrics) },
  options: z.object({
    label: z.string().describe('Column that says what a row is'),
    normal: labelOptions.normal.unwrap().describe('Values of `label` that mean a normal row'),
    prefix: z.string().default('').describe('Prefix given to anomaly-detection/score'),
    baselines: z
      .array(z.enum(BASELINES))
      .default(['knn', 'hbos'])
      .describe(
        'Detectors to score on the same rows: 5 nearest neighbours, LOF, PCA error, histograms, isolation forest',
      ),
    maxRows: z.int().min(100).default(20_000).describe('Rows that baselines are fitted on at most, drawn by the seed'),
  }),
});

/** Compares a table with what a model was trained on. */
export const drift = defineStage({
  id: 'anomaly-detection/drift',
  version: 1,
  summary: 'Compare a table with the one a model was trained on',
  inputs: { data: artifact.dataset(), model: artifact.optional(artifact.model()) },
  outputs: { metrics: artifact.metrics(driftMetrics) },
  options: z.object(driftLimits),
});

export default definePlugin({
  name: 'anomaly-detection',
  summary: 'Find anomalous rows with a threshold that keeps its false-alarm rate',
  stages: { train, calibrate, score, evaluate, drift },
});

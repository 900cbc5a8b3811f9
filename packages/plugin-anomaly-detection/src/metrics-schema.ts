import { learnerMetrics } from '@hourglass/autoencoder/options';
import { z } from 'zod';
import { COMPONENTS } from './component-names.ts';
import { PSEUDO_KINDS } from './pseudo-kinds.ts';

const byComponent = z.record(z.enum(COMPONENTS), z.number());

/** What `anomaly-detection/train` gives. */
export const detectorMetrics = learnerMetrics.extend({
  pseudoAuroc: z
    .number()
    .describe('Held-out normals against spoiled ones, mean AUROC over the ways of spoiling; no labels are used.'),
  weights: byComponent.describe('Share of each score in the sum'),
  components: z.partialRecord(z.enum(COMPONENTS), z.number()).describe('pseudoAuroc of each score alone'),
  kinds: z.record(z.enum(PSEUDO_KINDS), z.number()).describe('AUROC for each way of spoiling'),
  latentDim: z.number().describe('Width of the bottleneck, chosen where several were given'),
  widths: z.record(z.string(), z.number()).describe('pseudoAuroc of each width tried; none where one was given'),
  heldOut: z.number().describe('Rows the scores were weighed on'),
  trimmed: z.number().describe('Rows set aside as contamination'),
});

/** What `anomaly-detection/calibrate` gives. */
export const calibrationMetrics = z.object({
  method: z.string(),
  level: z.number().describe('Rate of false alarms asked for'),
  n: z.int().describe('Rows calibrated on'),
  threshold: z.number().describe('Score from which a row is flagged'),
  attainable: z.number().describe('Lowest level that this many rows support with method conformal: 1 / (n + 1)'),
  alarmsPerThousand: z.number().describe('Expected among a thousand normal rows'),
  rowsPerDay: z.number().nullable().describe('By the column `time`, or option rowsPerDay; null without either'),
  alarmsPerDay: z.number().nullable().describe('Expected of a day of normal rows'),
});

/** What `anomaly-detection/score` gives beside the rows. */
export const scoreMetrics = z.object({
  rows: z.int(),
  flagged: z.int().nullable().describe('Rows flagged; null without a threshold'),
  flaggedShare: z.number().nullable().describe('null without a threshold'),
  expectedFalse: z.number().nullable().describe('Alarms expected if every row were normal; null without a threshold'),
});

export const BASELINES = ['knn', 'lof', 'pca', 'hbos', 'iforest'] as const;
export type Baseline = (typeof BASELINES)[number];

const ranking = z.object({
  auroc: z.number().describe('Chance that an anomaly scores above a normal row'),
  auprc: z.number().describe('Average precision'),
  precisionAtN: z.number().describe('Share of anomalies among the n highest scores, n the number of anomalies'),
});
export type Ranking = z.infer<typeof ranking>;

/** What `anomaly-detection/evaluate` gives. */
export const evaluationMetrics = ranking.extend({
  rows: z.int(),
  anomalies: z.int(),
  detected: z.number().nullable().describe('Share of anomalies flagged; null where nothing was flagged by a threshold'),
  precision: z.number().nullable().describe('Share of anomalies among the flagged; null where none is'),
  falseAlarms: z
    .object({
      level: z.number().describe('Rate asked for'),
      rate: z.number().describe('Share of normal rows flagged'),
      low: z.number(),
      high: z.number().describe('low … high: where the rate lies in 95 of 100 cases, were the rows exchangeable'),
      within: z.boolean(),
      normals: z.int(),
      calibration: z.int().describe('Rows calibrated on'),
    })
    .nullable()
    .describe('null without a threshold'),
  exchangeable: z
    .boolean()
    .nullable()
    .describe('Whether p-values of normal rows look uniform (Kolmogorov–Smirnov, 1 %); null without a threshold'),
  baselines: z.partialRecord(z.enum(BASELINES), ranking).describe('The same of simple detectors on the same rows'),
});

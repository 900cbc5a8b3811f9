import { z } from 'zod';

export const FEATURES = ['raw', 'pca', 'features', 'raw+features'] as const;
export type FeatureSet = (typeof FEATURES)[number];

const accuracy = z.object({ accuracy: z.number() });

export const efficiencyMetrics = z.object({
  accuracy: z.number().describe('Logistic regression (or the first learner) on raw + features, at the largest budget'),
  worstGain: z
    .number()
    .describe(
      'Smallest mean accuracy of raw + features minus raw, over budgets, of that learner: not below 0 is “never worse”',
    ),
  test: z.int().describe('Test rows'),
  classes: z.int(),
  overlap: z.number().describe('Share of test rows that equal a training row in all learned columns and the label'),
  baselines: z.object({ raw: accuracy, pca: accuracy, features: accuracy }).describe('At the largest budget'),
  table: z
    .array(
      z.object({
        budget: z.int(),
        learner: z.string(),
        features: z.enum(FEATURES),
        accuracy: z.number().describe('Mean over the draws'),
        spread: z.number().describe('Standard deviation over the draws'),
      }),
    )
    .describe('The label-efficiency table'),
});
export type EfficiencyMetrics = z.infer<typeof efficiencyMetrics>;

export const classifierMetrics = z.object({
  accuracy: z.number().describe('On the rows put aside'),
  logLoss: z.number().describe('On the rows put aside, after calibration'),
  uncalibratedLogLoss: z.number().describe('The same before'),
  temperature: z.number().describe('What the logits are divided by; 1 needed no calibration'),
  c: z.number().describe('Penalty chosen: weight of the data'),
  rows: z.int().describe('Labelled rows'),
  classes: z.int(),
  features: z.int(),
});

export const regressorMetrics = z.object({
  rmse: z.number().describe('On the rows put aside'),
  mae: z.number().describe('The same, mean absolute difference'),
  r2: z.number().describe('The same, coefficient of determination'),
  margin: z.number().describe('What `low` and `high` are away from a prediction'),
  coverage: z.number().describe('Share of rows that was asked to lie between them'),
  penalty: z.number().describe('Penalty chosen, a row'),
  rows: z.int().describe('Labelled rows'),
  features: z.int(),
  baselines: z.object({ mean: z.object({ rmse: z.number() }) }).describe('Predicting the mean of the labels'),
});

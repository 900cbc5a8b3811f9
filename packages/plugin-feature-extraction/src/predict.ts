import { applyRows, loadHead, loadModel, predictor, type Head } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import type { ColumnData } from '@hourglass/dataset';
import {
  linearPredictions,
  logisticProbabilities,
  mostProbable,
  type LinearModel,
  type LogisticModel,
  type NumberMatrix,
} from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { encodedFeatures } from './feature-sets.ts';
import { tempered } from './fit-head.ts';
import type { predict } from './index.ts';
import { standardised } from './standardise.ts';

/** What a head answers, beside the kept columns. */
export const run: StageRun<typeof predict> = async (context, { head: ref, data }, { keep }) => {
  const model = await loadModel(context.artifacts, ref);
  const head = await loadHead(context.artifacts, ref);
  if (!head)
    throw new HourglassError(
      'MODEL_INCOMPATIBLE',
      `feature-extraction/predict: ${ref.digest.slice(0, 12)} is a model of ${model.description.application} without a head; make one by feature-extraction/fit-classifier or fit-regressor`,
    );
  const { names, answers } = answersOf(head);
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        columns: () => names,
        async transform(encoded) {
          const features = await encodedFeatures(model, answer, encoded, head.kind);
          const columns = answers(standardised(features, head.scale));
          return {
            rows: encoded.rows,
            columns: Object.fromEntries(names.map(({ name }, i) => [name, columns[i]!])),
          };
        },
      }),
    };
  } finally {
    answer.dispose();
  }
};

interface Answers {
  names: { name: string; physical: 'BIGINT' | 'VARCHAR' | 'DOUBLE' }[];
  /** Columns of `names` from features brought to scale. */
  answers(x: NumberMatrix): ColumnData[];
}

const answersOf = ({ weights, bias, target }: Head): Answers =>
  target.kind === 'number'
    ? numberAnswers({ coefficients: weights, intercept: bias[0]! }, target.margin)
    : classAnswers({ weights, bias, classes: bias.length }, target);

const double = (name: string) => ({ name, physical: 'DOUBLE' }) as const;
const numbers = (rows: number, value: (row: number) => number): ColumnData => ({
  kind: 'numeric',
  values: Float64Array.from({ length: rows }, (_, row) => value(row)),
});

const numberAnswers = (model: LinearModel, margin: number): Answers => ({
  names: ['prediction', 'low', 'high'].map(double),
  answers(x) {
    const values = linearPredictions(model, x);
    return [0, -margin, margin].map((off) => numbers(x.rows, (row) => values[row]! + off));
  },
});

function classAnswers(
  model: LogisticModel,
  { classes, temperature }: Extract<Head['target'], { kind: 'classes' }>,
): Answers {
  const numeric = classes.every((name) => Number.isInteger(Number(name)));
  return {
    names: [
      { name: 'prediction', physical: numeric ? 'BIGINT' : 'VARCHAR' },
      double('probability'),
      ...classes.map((name) => double(`p_${name}`)),
    ],
    answers(x) {
      const n = classes.length;
      const probabilities = tempered(logisticProbabilities(model, x), n, temperature);
      const winners = mostProbable(probabilities, n);
      return [
        numeric
          ? numbers(x.rows, (row) => Number(classes[winners[row]!]))
          : { kind: 'category', codes: winners, categories: classes },
        numbers(x.rows, (row) => probabilities[row * n + winners[row]!]!),
        ...classes.map((_, k) => numbers(x.rows, (row) => probabilities[row * n + k]!)),
      ];
    },
  };
}

import { applyRows, loadModel, predictor } from '@hourglass/autoencoder';
import { logisticProbabilities, mostProbable } from '@hourglass/metrics';
import type { ColumnData } from '@hourglass/dataset';
import type { StageRun } from '@hourglass/plugin-kit';
import { tempered } from './fit-head.ts';
import { loadHead } from './head-model.ts';
import type { predict } from './index.ts';
import { standardised } from './standardise.ts';

/** Class, its probability and those of all classes, beside the kept columns. */
export const run: StageRun<typeof predict> = async (context, { classifier, data }, { keep }) => {
  const model = await loadModel(context.artifacts, classifier);
  const head = await loadHead(context.artifacts, classifier);
  const classes = head.classes.length;
  const numeric = head.classes.every((name) => Number.isInteger(Number(name)));
  const answer = predictor(await context.engine(), model);
  try {
    return {
      data: await applyRows(context, model, data, {
        keep,
        columns: () => [
          { name: 'prediction', physical: numeric ? 'BIGINT' : 'VARCHAR' },
          { name: 'probability', physical: 'DOUBLE' },
          ...head.classes.map((name) => ({ name: `p_${name}`, physical: 'DOUBLE' })),
        ],
        async transform(encoded) {
          const cols = head.scale.mean.length;
          const features = await (head.kind === 'deep' ? answer.activations(encoded) : answer.latents(encoded));
          const x = standardised({ rows: encoded.rows, cols, data: features }, head.scale);
          const probabilities = tempered(logisticProbabilities(head.model, x), classes, head.temperature);
          const winners = mostProbable(probabilities, classes);
          const numbers = (value: (row: number) => number): ColumnData => ({
            kind: 'numeric',
            values: Float64Array.from({ length: encoded.rows }, (_, row) => value(row)),
          });
          return {
            rows: encoded.rows,
            columns: {
              prediction: numeric
                ? numbers((row) => Number(head.classes[winners[row]!]))
                : { kind: 'category', codes: winners, categories: head.classes },
              probability: numbers((row) => probabilities[row * classes + winners[row]!]!),
              ...Object.fromEntries(
                head.classes.map((name, k) => [`p_${name}`, numbers((row) => probabilities[row * classes + k]!)]),
              ),
            },
          };
        },
      }),
    };
  } finally {
    answer.dispose();
  }
};

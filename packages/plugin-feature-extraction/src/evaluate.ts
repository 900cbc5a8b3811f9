import { putFigures, type Figure } from '@hourglass/artifacts';
import { checkSchema, exactNeighbours, loadModel, predictor, refuseLearnedLabel } from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef } from '@hourglass/core';
import { openDataset, sampleRows } from '@hourglass/dataset';
import { permutation, type Engine } from '@hourglass/engine';
import {
  accuracy,
  logisticProbabilities,
  mostProbable,
  neighbourVotes,
  takeRows,
  type NumberMatrix,
} from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { featureSets } from './feature-sets.ts';
import { fitHead } from './fit-head.ts';
import type { evaluate } from './index.ts';
import { classesOf, classTexts, requireLabel } from './label.ts';
import { FEATURES, type EfficiencyMetrics, type FeatureSet } from './metrics-schema.ts';
import { refuseLeak } from './refuse-leak.ts';

const STAGE = 'feature-extraction/evaluate';
const NEIGHBOURS = 5;

/** The same simple learners on every set of features, with few labels and with more, drawn several times. */
export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const store = context.artifacts;
  const model = await loadModel(store, inputs.model);
  const { label } = options;
  refuseLearnedLabel(STAGE, model, label);
  const columns = [...new Set([...model.encoder.columns.map(({ name }) => name), label])];
  const read = async (ref: ArtifactRef, most: number) => {
    const reader = await openDataset(store, ref);
    checkSchema(model.encoder, reader.columns);
    requireLabel(STAGE, reader, label);
    return sampleRows(reader, columns, most);
  };
  const tables = { train: await read(inputs.train, Infinity), test: await read(inputs.test, options.maxTest) };
  const overlap = refuseLeak(context.log, model, inputs, tables, columns);
  const texts = classTexts(tables.train.columns[label]!);
  const classes = classesOf(STAGE, label, texts);
  const labels = { train: codes(texts, classes), test: codes(classTexts(tables.test.columns[label]!), classes) };
  const labelled = Array.from(labels.train.keys()).filter((row) => labels.train[row]! >= 0);
  const budgets = [...new Set(options.budgets)].sort((a, b) => a - b);
  if (budgets.at(-1)! > labelled.length)
    throw new HourglassError(
      'OPTION_INVALID',
      `${STAGE}: budgets asks for ${budgets.at(-1)} labelled rows, \`train\` has ${labelled.length}; ask for less`,
    );

  // Of each draw the first rows serve a smaller budget.
  const draws = Array.from({ length: options.repeats }, (_, draw) =>
    Array.from(permutation(labelled.length, context.seed, draw).subarray(0, budgets.at(-1)), (at) => labelled[at]!),
  );
  const used = [...new Set(draws.flat())];
  const placeOf = new Map(used.map((row, place) => [row, place]));
  const engine = await context.engine();
  const answer = predictor(engine, model);
  let sets: Awaited<ReturnType<typeof featureSets>>;
  try {
    context.progress(0.05, 'features of all rows');
    sets = await featureSets(model, answer, tables, used, options.kind);
  } finally {
    answer.dispose();
  }
  const table: EfficiencyMetrics['table'] = [];
  const total = budgets.length * options.repeats * FEATURES.length * options.learners.length;
  let done = 0;
  for (const budget of budgets) {
    const scores = new Map<string, number[]>();
    for (const [draw, all] of draws.entries()) {
      const rows = all.slice(0, budget);
      const places = rows.map((row) => placeOf.get(row)!);
      const y = Int32Array.from(rows, (row) => labels.train[row]!);
      for (const features of FEATURES)
        for (const learner of options.learners) {
          context.signal.throwIfAborted();
          // A turn of the event loop, so that a message asking to stop is heard.
          await new Promise((resolve) => setImmediate(resolve));
          const { train, test } = sets[features];
          const x = takeRows(train, places);
          const predicted =
            learner === 'logistic'
              ? byLogistic(x, y, test, classes.length)
              : await byNeighbours(engine, x, y, test, context.signal);
          const key = `${learner} ${features}`;
          scores.set(key, [...(scores.get(key) ?? []), accuracy(labels.test, predicted)]);
          context.progress(
            0.1 + (0.9 * ++done) / total,
            `${budget} labels, draw ${draw + 1}: ${learner} on ${features}`,
          );
        }
    }
    for (const learner of options.learners)
      for (const features of FEATURES) {
        const values = scores.get(`${learner} ${features}`)!;
        table.push({ budget, learner, features, accuracy: mean(values), spread: spread(values) });
      }
  }
  const main = options.learners[0]!;
  const at = (budget: number, features: FeatureSet): number =>
    table.find((row) => row.budget === budget && row.features === features && row.learner === main)!.accuracy;
  const most = budgets.at(-1)!;
  const metrics: EfficiencyMetrics = {
    accuracy: at(most, 'raw+features'),
    worstGain: Math.min(...budgets.map((budget) => at(budget, 'raw+features') - at(budget, 'raw'))),
    test: tables.test.rows,
    classes: classes.length,
    overlap,
    baselines: {
      raw: { accuracy: at(most, 'raw') },
      pca: { accuracy: at(most, 'pca') },
      features: { accuracy: at(most, 'features') },
    },
    table,
  };
  return { metrics, figures: await putFigures(store, [efficiencyFigure(table)]) };
};

/** Number of each row's class, −1 where it has none or one that training does not know. */
const codes = (texts: readonly string[], classes: string[]): Int32Array => {
  const known = new Map(classes.map((name, code) => [name, code]));
  return Int32Array.from(texts, (text) => known.get(text) ?? -1);
};

function byLogistic(x: NumberMatrix, y: Int32Array, test: NumberMatrix, classes: number): Int32Array {
  // The rows are in random order: every fourth is as good as any.
  const aside = new Set(Array.from(y.keys()).filter((row) => row % 4 === 3));
  return mostProbable(logisticProbabilities(fitHead(x, y, classes, aside).model, test), classes);
}

async function byNeighbours(
  engine: Engine,
  x: NumberMatrix,
  y: Int32Array,
  test: NumberMatrix,
  signal: AbortSignal,
): Promise<Int32Array> {
  const found = await exactNeighbours(engine, x, test, Math.min(NEIGHBOURS, x.rows), { signal });
  return Int32Array.from(neighbourVotes(found, y));
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values: number[]): number => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1));
};

const efficiencyFigure = (table: EfficiencyMetrics['table']): Figure => ({
  id: 'label-efficiency',
  title: 'Accuracy by number of labels',
  format: 'vega-lite',
  spec: {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    data: { values: table },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'budget', type: 'quantitative', scale: { type: 'log' }, title: 'labelled rows' },
      y: { field: 'accuracy', type: 'quantitative', scale: { zero: false } },
      color: { field: 'features', type: 'nominal' },
      strokeDash: { field: 'learner', type: 'nominal' },
    },
  },
});

import { checkSchema, loadModel, predictor, refuseLearnedLabel } from '@hourglass/autoencoder';
import { HourglassError } from '@hourglass/core';
import { openDataset } from '@hourglass/dataset';
import { permutation } from '@hourglass/engine';
import { accuracy, logisticProbabilities, mostProbable, takeRows } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { featuresOf, scaleOf } from './feature-sets.ts';
import { fitHead, fitTemperature, logLoss, tempered } from './fit-head.ts';
import { putHead } from './head-model.ts';
import type { fitClassifier } from './index.ts';
import { classesOf, classTexts, requireLabel } from './label.ts';
import { standardised } from './standardise.ts';

const STAGE = 'feature-extraction/fit-classifier';
const FEWEST = 10;

/** Logistic regression on frozen features; rows put aside choose its penalty and calibrate its probabilities. */
export const run: StageRun<typeof fitClassifier> = async (context, inputs, { label, kind, calibration }) => {
  const store = context.artifacts;
  const model = await loadModel(store, inputs.model);
  refuseLearnedLabel(STAGE, model, label);
  const reader = await openDataset(store, inputs.data);
  checkSchema(model.encoder, reader.columns);
  requireLabel(STAGE, reader, label);
  const table = await reader.table([...new Set([...model.encoder.columns.map(({ name }) => name), label])]);
  const texts = classTexts(table.columns[label]!);
  const classes = classesOf(STAGE, label, texts);
  const rows = Array.from(texts.keys()).filter((row) => texts[row] !== '');
  if (rows.length < FEWEST)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected at least ${FEWEST} labelled rows, found ${rows.length}`,
    );
  const y = Int32Array.from(rows, (row) => classes.indexOf(texts[row]!));
  const answer = predictor(await context.engine(), model);
  try {
    context.progress(0.1, `features of ${table.rows} rows`);
    const raw = takeRows(await featuresOf(model, answer, table, kind), rows);
    const scale = scaleOf(kind)(raw);
    const x = standardised(raw, scale);
    const aside = Array.from(permutation(rows.length, context.seed, 0)).slice(
      0,
      Math.max(2, Math.round(rows.length * calibration)),
    );
    context.progress(0.3, `fitting ${classes.length} classes on ${x.cols} features`);
    const head = fitHead(x, y, classes.length, new Set(aside));
    const yAside = Int32Array.from(aside, (row) => y[row]!);
    const before = logisticProbabilities(head.held, takeRows(x, aside));
    const temperature = fitTemperature(before, yAside, classes.length);
    const classifier = await putHead(store, inputs.model, {
      label,
      classes,
      kind,
      scale,
      model: head.model,
      temperature,
    });
    return {
      classifier,
      metrics: {
        accuracy: accuracy(yAside, mostProbable(before, classes.length)),
        logLoss: logLoss(tempered(before, classes.length, temperature), yAside, classes.length),
        uncalibratedLogLoss: logLoss(before, yAside, classes.length),
        temperature,
        c: head.c,
        rows: rows.length,
        classes: classes.length,
        features: x.cols,
      },
    };
  } finally {
    answer.dispose();
  }
};

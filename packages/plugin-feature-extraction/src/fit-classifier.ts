import { accuracy, logisticProbabilities, mostProbable, takeRows } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import { fitHead, fitTemperature, logLoss, tempered } from './fit-head.ts';
import type { fitClassifier } from './index.ts';
import { classesOf, classTexts } from './label.ts';
import { labelledFeatures, storeHead } from './labelled-features.ts';

const STAGE = 'feature-extraction/fit-classifier';

/** Logistic regression on frozen features; rows put aside choose its penalty and calibrate its probabilities. */
export const run: StageRun<typeof fitClassifier> = async (context, inputs, options) => {
  const { label, kind } = options;
  const { x, y, scale, aside } = await labelledFeatures(context, STAGE, inputs, options, (column) => {
    const texts = classTexts(column);
    const classes = classesOf(STAGE, label, texts);
    const rows = Array.from(texts.keys()).filter((row) => texts[row] !== '');
    return { rows, y: { classes, codes: Int32Array.from(rows, (row) => classes.indexOf(texts[row]!)) } };
  });
  const { classes, codes } = y;
  context.progress(0.3, `fitting ${classes.length} classes on ${x.cols} features`);
  const head = fitHead(x, codes, classes.length, new Set(aside));
  const yAside = Int32Array.from(aside, (row) => codes[row]!);
  const before = logisticProbabilities(head.held, takeRows(x, aside));
  const temperature = fitTemperature(before, yAside, classes.length);
  const { weights, bias } = head.model;
  const target = { kind: 'classes', classes, temperature } as const;
  return {
    classifier: await storeHead(context, inputs.model, { label, kind, scale, weights, bias, target }),
    metrics: {
      accuracy: accuracy(yAside, mostProbable(before, classes.length)),
      logLoss: logLoss(tempered(before, classes.length, temperature), yAside, classes.length),
      uncalibratedLogLoss: logLoss(before, yAside, classes.length),
      temperature,
      c: head.c,
      rows: x.rows,
      classes: classes.length,
      features: x.cols,
    },
  };
};

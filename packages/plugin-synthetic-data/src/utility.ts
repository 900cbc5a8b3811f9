import { HourglassError } from '@hourglass/core';
import { hostRandom, permutation } from '@hourglass/engine';
import {
  accuracy,
  auroc,
  fitLogistic,
  fitRandomForest,
  forestProbabilities,
  logisticProbabilities,
  mostProbable,
  type NumberMatrix,
} from '@hourglass/metrics';
import type { ComparedTable } from './compared-table.ts';
import { codesInto, designMatrix, fitDesign } from './design-matrix.ts';
import type { Learner, Utility } from './metrics-schema.ts';

/** Rows learners are fitted on at most. */
const FIT_ROWS = 10_000;
/** Trees of the forests. */
const TREES = 50;

const LEARNERS: Record<
  Learner,
  (x: NumberMatrix, y: Int32Array, classes: number, test: NumberMatrix, seed: number) => Float64Array
> = {
  logistic: (x, y, classes, test) => logisticProbabilities(fitLogistic(x, y, classes, { iterations: 60 }), test),
  forest: (x, y, classes, test, seed) =>
    forestProbabilities(fitRandomForest(x, y, classes, hostRandom(seed, 41).uniform, { trees: TREES }), test),
};

/** Classes of the label in real rows. @throws INPUT_INVALID for a label without two classes */
export function labelClasses(stage: string, label: string, { columns }: ComparedTable): string[] {
  const column = columns[label]!;
  const classes =
    column.kind === 'category'
      ? column.categories
      : [...new Set(column.values)]
          .filter((v) => v === v)
          .sort((a, b) => a - b)
          .map(String);
  if (classes.length < 2 || classes.length > 200)
    throw new HourglassError(
      'INPUT_INVALID',
      `${stage}: label: expected a column of 2 to 200 classes, found "${label}" with ${classes.length}`,
      { details: { column: label } },
    );
  return classes;
}

/**
 * Learners fitted on one table and tested on another: area under the ROC curve of two classes, accuracy of more. A table
 * that has one class only, or none, teaches nothing: 0.5, or the share of the commonest.
 */
export function utility(
  from: ComparedTable,
  test: ComparedTable,
  label: string,
  classes: readonly string[],
  learners: readonly Learner[],
  seed: number,
): Utility {
  const labelled = (table: ComparedTable): { rows: number[]; y: Int32Array } => {
    const code = codesInto(classes, table.columns[label]!);
    const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => code(row) >= 0);
    return { rows, y: Int32Array.from(rows, code) };
  };
  const fit = labelled(from);
  const order = [...permutation(fit.rows.length, seed, 0)].slice(0, FIT_ROWS);
  const design = fitDesign(from, label);
  const x = designMatrix(
    design,
    from,
    order.map((at) => fit.rows[at]!),
  );
  const y = Int32Array.from(order, (at) => fit.y[at]!);
  const judge = labelled(test);
  const z = designMatrix(design, test, judge.rows);
  return Object.fromEntries(
    learners.map((learner) => {
      const p =
        new Set(y).size > 1
          ? LEARNERS[learner](x, y, classes.length, z, seed)
          : new Float64Array(z.rows * classes.length).map((_, i) => (i % classes.length === (y[0] ?? 0) ? 1 : 0));
      const score =
        classes.length === 2
          ? auroc(
              judge.y,
              Float64Array.from({ length: z.rows }, (_, i) => p[2 * i + 1]!),
            )
          : accuracy(judge.y, mostProbable(p, classes.length));
      return [learner, score];
    }),
  );
}

/** Rows of each table the discriminator sees. */
const SEEN = 4000;

/** How well a forest tells two tables apart: area under the ROC curve on rows it has not seen; 0.5 is chance. */
export function discriminatorAuc(real: ComparedTable, synthetic: ComparedTable, seed: number): number {
  const rows = Math.min(real.rows, synthetic.rows, SEEN);
  const [a, b] = [real, synthetic].map((table, k) => [...permutation(table.rows, seed, k + 1)].slice(0, rows)) as [
    number[],
    number[],
  ];
  const design = fitDesign(real, undefined);
  const half = Math.floor(rows / 2);
  const part = (from: number, to: number): { x: NumberMatrix; y: Int32Array } => {
    const [p, q] = [designMatrix(design, real, a.slice(from, to)), designMatrix(design, synthetic, b.slice(from, to))];
    const data = new Float64Array(p.data.length + q.data.length);
    data.set(p.data as Float64Array);
    data.set(q.data as Float64Array, p.data.length);
    return {
      x: { rows: p.rows + q.rows, cols: p.cols, data },
      y: Int32Array.from({ length: p.rows + q.rows }, (_, i) => (i < p.rows ? 0 : 1)),
    };
  };
  const [fit, judge] = [part(0, half), part(half, rows)];
  const forest = fitRandomForest(fit.x, fit.y, 2, hostRandom(seed, 42).uniform, { trees: TREES });
  const p = forestProbabilities(forest, judge.x);
  return auroc(
    judge.y,
    Float64Array.from(judge.y, (_, i) => p[2 * i + 1]!),
  );
}

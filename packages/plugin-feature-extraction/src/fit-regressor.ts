import { HourglassError } from '@hourglass/core';
import { fitRidge, linearPredictions, mae, r2, rmse, takeRows, type LinearModel } from '@hourglass/metrics';
import type { StageRun } from '@hourglass/plugin-kit';
import type { fitRegressor } from './index.ts';
import { labelledFeatures, storeHead } from './labelled-features.ts';

const STAGE = 'feature-extraction/fit-regressor';

/** Penalties tried, a row: strong ones first, whose solutions are a good place to begin for weaker ones. */
const PENALTIES = [10, 1, 0.1, 0.01, 0.001];

/** Ridge regression on frozen features; rows put aside choose its penalty and say how far answers may be off. */
export const run: StageRun<typeof fitRegressor> = async (context, inputs, options) => {
  const { label, kind, coverage } = options;
  const { x, y, scale, aside } = await labelledFeatures(context, STAGE, inputs, options, (column) => {
    if (column.kind !== 'numeric')
      throw new HourglassError(
        'COLUMN_INVALID',
        `${STAGE}: expected numbers in the label column "${label}", found text; classes are for feature-extraction/fit-classifier`,
        { details: { column: label } },
      );
    const rows = Array.from(column.values.keys()).filter((row) => Number.isFinite(column.values[row]!));
    return { rows, y: Float64Array.from(rows, (row) => column.values[row]!) };
  });
  const needed = Math.ceil(coverage / (1 - coverage) - 1e-9);
  if (aside.length < needed)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: coverage: ${coverage} takes ${needed} labelled rows put aside, found ${aside.length} of ${x.rows}; give more labels, a larger calibration or a smaller coverage`,
      { details: { option: 'coverage' } },
    );
  context.progress(0.3, `fitting ${x.cols} features`);
  const put = new Set(aside);
  const fit = Array.from(y.keys()).filter((row) => !put.has(row));
  const pick = (rows: number[]): Float64Array => Float64Array.from(rows, (row) => y[row]!);
  const [xFit, yFit, xAside, yAside] = [takeRows(x, fit), pick(fit), takeRows(x, aside), pick(aside)];
  let best: { penalty: number; error: number; held: LinearModel } | undefined;
  let start: LinearModel | undefined;
  for (const penalty of PENALTIES) {
    start = fitRidge(xFit, yFit, penalty * fit.length, { start });
    const error = rmse(yAside, linearPredictions(start, xAside));
    if (!best || error < best.error) best = { penalty, error, held: start };
  }
  const { penalty, held, error } = best!;
  const answers = linearPredictions(held, xAside);
  const margin = marginOf(yAside, answers, coverage);
  const { coefficients, intercept } = fitRidge(x, y, penalty * x.rows, { start: held });
  const mean = yFit.reduce((sum, each) => sum + each / yFit.length, 0);
  const target = { kind: 'number', margin, coverage } as const;
  return {
    regressor: await storeHead(context, inputs.model, {
      label,
      kind,
      scale,
      weights: coefficients,
      bias: Float64Array.of(intercept),
      target,
    }),
    metrics: {
      rmse: error,
      mae: mae(yAside, answers),
      r2: r2(yAside, answers),
      margin,
      coverage,
      penalty,
      rows: x.rows,
      features: x.cols,
      baselines: {
        mean: {
          rmse: rmse(
            yAside,
            yAside.map(() => mean),
          ),
        },
      },
    },
  };
};

/**
 * How far answers are off at most, in the share `coverage` of rows like those put aside.
 * Source: split conformal prediction, Lei et al. (JASA 113, 2018).
 */
function marginOf(truth: Float64Array, answers: Float64Array, coverage: number): number {
  const off = truth.map((each, i) => Math.abs(each - answers[i]!)).sort();
  return off[Math.min(off.length, Math.ceil((off.length + 1) * coverage - 1e-9)) - 1]!;
}

import { bayesianRidge } from './bayesian-ridge.ts';
import { checkLengths } from './check-lengths.ts';
import { dot } from './dot.ts';
import { columnMean, fillColumns } from './simple-fill.ts';

/** What an ICE run did. */
export interface IceResult {
  columns: Float64Array[];
  rounds: number;
  /** False when the rounds ran out before the cells stopped moving. */
  converged: boolean;
}

/**
 * Fills missing cells (NaN) by chained equations: start from column means; then, round after round, regress each column
 * on all others (Bayesian ridge) over the rows that have it, and predict the cells that lack it. The same as
 * scikit-learn's `IterativeImputer` with its defaults: columns in ascending order of missing cells, 10 rounds, stop when
 * no row moves by more than 1e-3 of the largest value. A column without any value stays as it is.
 *
 * @param columns - `[d][n]`, on one scale
 * @returns new columns
 * @throws CALL_INVALID when columns differ in length
 * @see van Buuren, Groothuis-Oudshoorn: mice, Multivariate Imputation by Chained Equations in R. JSS 45(3), 2011
 */
export function iceImpute(
  columns: readonly ArrayLike<number>[],
  options: { rounds?: number; tolerance?: number } = {},
): IceResult {
  const { rounds = 10, tolerance = 1e-3 } = options;
  checkLengths('iceImpute', Object.fromEntries(columns.map((column, c) => [`column ${c}`, column])));
  const n = columns[0]?.length ?? 0;
  const filled = fillColumns(columns, 'mean');
  const usable = columns.flatMap((column, c) => (Number.isNaN(columnMean(column)) ? [] : [c]));
  const hidden = columns.map((column) => Uint8Array.from(column, (value) => (Number.isNaN(value) ? 1 : 0)));
  const hiddenCount = hidden.map((mask) => mask.reduce((sum, cell) => sum + cell, 0));
  const order = usable.filter((c) => hiddenCount[c]! > 0).sort((a, b) => hiddenCount[a]! - hiddenCount[b]! || a - b);
  if (usable.length < 2 || order.length === 0) return { columns: filled, rounds: 0, converged: true };

  let largest = 0;
  for (const column of columns)
    for (let i = 0; i < n; i++) if (Math.abs(column[i]!) > largest) largest = Math.abs(column[i]!);

  for (let round = 1; round <= rounds; round++) {
    const moved = new Float64Array(n);
    for (const c of order) {
      const predictors = usable.filter((other) => other !== c).map((other) => filled[other]!);
      const { coefficients, intercept } = fitColumn(predictors, filled[c]!, hidden[c]!);
      for (let i = 0; i < n; i++) {
        if (!hidden[c]![i]) continue;
        let prediction = intercept;
        for (let j = 0; j < predictors.length; j++) prediction += predictors[j]![i]! * coefficients[j]!;
        moved[i]! += Math.abs(prediction - filled[c]![i]!);
        filled[c]![i] = prediction;
      }
    }
    if (moved.reduce((most, distance) => Math.max(most, distance), 0) < tolerance * largest)
      return { columns: filled, rounds: round, converged: true };
  }
  return { columns: filled, rounds, converged: false };
}

/** Bayesian ridge of one column on others, over the rows where it is there. */
function fitColumn(
  predictors: readonly Float64Array[],
  target: Float64Array,
  hidden: Uint8Array,
): ReturnType<typeof bayesianRidge> {
  const p = predictors.length;
  const rows: number[] = [];
  for (let i = 0; i < target.length; i++) if (!hidden[i]) rows.push(i);
  const n = rows.length;
  const centred = (column: Float64Array): { mean: number; values: Float64Array } => {
    const values = new Float64Array(n);
    let sum = 0;
    for (let r = 0; r < n; r++) sum += values[r] = column[rows[r]!]!;
    const mean = sum / n;
    for (let r = 0; r < n; r++) values[r]! -= mean;
    return { mean, values };
  };
  const x = predictors.map(centred);
  const y = centred(target);
  const gram = new Float64Array(p * p);
  for (let a = 0; a < p; a++)
    for (let b = a; b < p; b++) gram[a * p + b] = gram[b * p + a] = dot(x[a]!.values, x[b]!.values);
  return bayesianRidge({
    n,
    meanX: Float64Array.from(x, (column) => column.mean),
    meanY: y.mean,
    gram,
    xty: Float64Array.from(x, (column) => dot(column.values, y.values)),
    yty: dot(y.values, y.values),
  });
}

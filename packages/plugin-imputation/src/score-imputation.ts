import { HourglassError } from '@hourglass/core';
import type { Column, ColumnData, Table } from '@hourglass/dataset';
import { accuracy, columnRange, fillColumns, iceImpute, knnImpute, minMaxScale, scoreHidden } from '@hourglass/metrics';
import type { Baseline, ImputationMetrics, ImputationScore } from './metrics-schema.ts';

interface Tables {
  truth: Table;
  imputed: Table;
  /** Booleans (0 / 1) by column: 1 where a cell was hidden. */
  mask: Table;
}

/**
 * Scores filled cells against the truth, and simple methods on the same cells beside them.
 *
 * @param columns - of the truth; those with hidden cells are scored, all numeric ones feed the baselines
 * @param categorical - numeric columns whose values are names: right or wrong, not near or far
 * @throws INPUT_INVALID when nothing was hidden, or a hidden cell was left unfilled
 */
export function scoreImputation(
  columns: readonly Column[],
  { truth, imputed, mask }: Tables,
  baselines: readonly Baseline[],
  categorical: readonly string[] = [],
): ImputationMetrics {
  const hidden = (name: string): Uint8Array => hiddenCells(truth.columns[name]!, mask.columns[name]);
  const isClass = ({ name, type }: Column): boolean =>
    type === 'boolean' || categorical.includes(name) || truth.columns[name]?.kind === 'category';
  const numeric = columns.filter((column) => !isClass(column));
  const classes = columns.filter(isClass);
  const x = numeric.map(({ name }) => numbers(truth.columns[name]!));
  const hiddenX = numeric.map(({ name }) => hidden(name));
  const labels = classes.map(({ name }) => classesOf(truth.columns[name]!));
  const hiddenLabels = classes.map(({ name }) => hidden(name));
  const cells = [...hiddenX, ...hiddenLabels].reduce((sum, column) => sum + count(column), 0);
  if (cells === 0)
    throw new HourglassError(
      'INPUT_INVALID',
      'imputation/evaluate: the mask hides no cell whose truth is known, so there is nothing to score; connect the mask and the truth of the same imputation/mask',
    );

  const score = (filledX: readonly ArrayLike<number>[], filledLabels: readonly (readonly unknown[])[]) => {
    const numbersScore = scoreHidden(x, filledX, hiddenX);
    const total = hiddenLabels.reduce((sum, column) => sum + count(column), 0);
    const shares = labels.map((column, c) => accuracy(column, filledLabels[c] ?? [], hiddenLabels[c]));
    const right = shares.reduce(
      (sum, share, c) => sum + (count(hiddenLabels[c]!) ? share : 0) * count(hiddenLabels[c]!),
      0,
    );
    return { numbersScore, shares, accuracy: total ? right / total : Number.NaN };
  };

  const ours = score(
    numeric.map(({ name }, c) => filledNumbers(name, imputed.columns[name], hiddenX[c]!)),
    classes.map(({ name }, c) => filledClasses(name, imputed.columns[name], hiddenLabels[c]!)),
  );
  const byColumn: ImputationMetrics['columns'] = {};
  numeric.forEach(({ name }, c) => {
    const { cells, rmse, mae, r2 } = ours.numbersScore.columns[c]!;
    if (cells > 0) byColumn[name] = { cells, rmse, mae, r2: orNull(r2), accuracy: null };
  });
  classes.forEach(({ name }, c) => {
    const cells = count(hiddenLabels[c]!);
    if (cells > 0) byColumn[name] = { cells, rmse: null, mae: null, r2: null, accuracy: ours.shares[c]! };
  });

  // Baselines see what the model saw: the truth without the hidden cells, on the scale of the score.
  const scaled = x.map((column, c) => {
    const values = minMaxScale(column, columnRange(column));
    hiddenX[c]!.forEach((isHidden, i) => isHidden && (values[i] = Number.NaN));
    return values;
  });
  const backToUnits = (filled: readonly Float64Array[]): Float64Array[] =>
    filled.map((column, c) => {
      const { min, max } = columnRange(x[c]!);
      return column.map((value) => value * (max > min ? max - min : 1) + min);
    });
  const modes = labels.map((column, c) => mostFrequent(column, hiddenLabels[c]!));
  const baselineScores: ImputationMetrics['baselines'] = {};
  for (const name of baselines) {
    const simple = name === 'mean' || name === 'median' || name === 'mode';
    const filled = simple ? fillColumns(scaled, name) : name === 'knn' ? knnImpute(scaled) : iceImpute(scaled).columns;
    const { numbersScore, accuracy: share } = score(
      backToUnits(filled),
      labels.map((column, c) => column.map((value, i) => (hiddenLabels[c]![i] ? modes[c] : value))),
    );
    // k-NN and chained equations are for numbers; they say nothing of categories.
    baselineScores[name] = { ...summary(numbersScore), accuracy: simple ? orNull(share) : null };
  }
  return {
    cells,
    ...summary(ours.numbersScore),
    accuracy: orNull(ours.accuracy),
    columns: byColumn,
    baselines: baselineScores,
  };
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
const count = (mask: Uint8Array): number => mask.reduce((sum, cell) => sum + cell, 0);
const summary = ({ rmse, mae, r2 }: { rmse: number; mae: number; r2: number }): Omit<ImputationScore, 'accuracy'> => ({
  rmse: orNull(rmse),
  mae: orNull(mae),
  r2: orNull(r2),
});

const numbers = (data: ColumnData): Float64Array =>
  data.kind === 'numeric' ? data.values : Float64Array.from(data.codes);

/** Values to compare by equality; undefined where missing. */
function classesOf(data: ColumnData): (string | number | undefined)[] {
  if (data.kind === 'category') return Array.from(data.codes, (code) => (code < 0 ? undefined : data.categories[code]));
  return Array.from(data.values, (value) => (Number.isNaN(value) ? undefined : value));
}

/** Where the mask hides a cell whose truth is known. */
function hiddenCells(truth: ColumnData, mask: ColumnData | undefined): Uint8Array {
  const rows = truth.kind === 'numeric' ? truth.values.length : truth.codes.length;
  const hidden = new Uint8Array(rows);
  if (mask?.kind !== 'numeric') return hidden;
  for (let i = 0; i < rows; i++)
    if (mask.values[i] === 1 && (truth.kind === 'numeric' ? !Number.isNaN(truth.values[i]!) : truth.codes[i]! >= 0))
      hidden[i] = 1;
  return hidden;
}

function filledNumbers(name: string, data: ColumnData | undefined, hidden: Uint8Array): Float64Array {
  if (data?.kind !== 'numeric') {
    if (count(hidden) > 0) throw wrongKind(name, data, 'numbers');
    return new Float64Array(hidden.length);
  }
  refuseUnfilled(name, hidden, (row) => Number.isNaN(data.values[row]!));
  return data.values;
}

function filledClasses(name: string, data: ColumnData | undefined, hidden: Uint8Array): unknown[] {
  if (!data) {
    if (count(hidden) > 0) throw wrongKind(name, data, 'categories');
    return Array.from(hidden, () => undefined);
  }
  const values = classesOf(data);
  refuseUnfilled(name, hidden, (row) => values[row] === undefined);
  return values;
}

function refuseUnfilled(name: string, hidden: Uint8Array, isMissing: (row: number) => boolean): void {
  let missing = 0;
  let first = -1;
  hidden.forEach((isHidden, row) => {
    if (!isHidden || !isMissing(row)) return;
    if (first < 0) first = row;
    missing++;
  });
  if (missing > 0)
    throw new HourglassError(
      'INPUT_INVALID',
      `imputation/evaluate: column ${name}: expected every hidden cell to be filled, found ${missing} still empty (the first in row ${first + 1}); hide only columns that the model learns, see \`columns\` of imputation/mask`,
      { details: { column: name, missing, firstRow: first } },
    );
}

const wrongKind = (name: string, data: ColumnData | undefined, expected: string): HourglassError =>
  new HourglassError(
    'SCHEMA_MISMATCH',
    `imputation/evaluate: column ${name}: expected ${expected} in \`imputed\` as in \`truth\`, found ${data ? data.kind : 'no such column'}; connect tables of the same columns`,
  );

function mostFrequent(values: readonly unknown[], hidden: Uint8Array): unknown {
  const counts = new Map<unknown, number>();
  values.forEach((value, i) => {
    if (!hidden[i] && value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  });
  return [...counts].sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1))[0]?.[0];
}

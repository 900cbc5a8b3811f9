import { readFileSync } from 'node:fs';

/** Answers of scikit-learn on a piece of real data; see fixtures/README.md. */
export interface ScikitAnswers {
  x: number[][];
  hidden: number[][];
  mean: number[];
  median: number[];
  knn: number[];
  ice: { cells: number[]; rounds: number };
  ridge: { coefficients: number[]; intercept: number };
  pca: { components: number[][]; explainedVariance: number[]; explainedVarianceRatio: number[] };
  scores: { rmse: number; mae: number; r2: number };
}

export const scikit = JSON.parse(
  readFileSync(new URL('../../fixtures/wdbc-scikit.json', import.meta.url), 'utf8'),
) as ScikitAnswers;

const n = scikit.x.length;
const d = scikit.x[0]!.length;

/** `[d][n]`. */
export const truth = Array.from({ length: d }, (_, c) => Float64Array.from(scikit.x, (row) => row[c]!));
export const hidden = Array.from({ length: d }, (_, c) => Uint8Array.from(scikit.hidden, (row) => row[c]!));
export const masked = truth.map((column, c) => column.map((value, i) => (hidden[c]![i] ? Number.NaN : value)));

/** The hidden cells row by row, as NumPy's `a[hidden]` gives them. */
export function hiddenCells(columns: readonly ArrayLike<number>[]): number[] {
  const cells: number[] = [];
  for (let i = 0; i < n; i++) for (let c = 0; c < d; c++) if (hidden[c]![i]) cells.push(columns[c]![i]!);
  return cells;
}

/** Greatest absolute difference. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

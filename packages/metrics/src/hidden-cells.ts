import { checkLengths } from './check-lengths.ts';
import { columnRange, minMaxScale } from './column-scaling.ts';
import { mae, r2, rmse } from './regression.ts';

/** How well the hidden cells of one column were filled. */
export interface HiddenColumnScore {
  /** Hidden cells. */
  cells: number;
  /** On the column's min-max scale. */
  rmse: number;
  /** On the column's min-max scale. */
  mae: number;
  r2: number;
}

/** How well hidden cells were filled, over all columns and by column. */
export interface HiddenScore {
  cells: number;
  /** Over all hidden cells together, on min-max scale. */
  rmse: number;
  mae: number;
  /** Mean of the columns' R², each weighed by its hidden cells. */
  r2: number;
  columns: HiddenColumnScore[];
}

/**
 * Scores filled cells against the truth as GAIN does: every column scaled by the truth's own minimum and maximum, RMSE
 * over all hidden cells together.
 *
 * Cells whose truth is unknown (NaN) cannot be scored and do not count.
 *
 * @param truth - columns, `[d][n]`
 * @param filled - the same columns with the hidden cells filled; a NaN left there makes the scores NaN
 * @param hidden - non-zero where a cell was hidden, `[d][n]`
 * @throws CALL_INVALID when shapes differ
 * @see Yoon, Jordon, van der Schaar: GAIN, Missing Data Imputation using Generative Adversarial Nets. ICML 2018
 */
export function scoreHidden(
  truth: readonly ArrayLike<number>[],
  filled: readonly ArrayLike<number>[],
  hidden: readonly ArrayLike<number>[],
): HiddenScore {
  checkLengths('scoreHidden', { truth, filled, hidden });
  let cells = 0;
  let squares = 0;
  let absolutes = 0;
  let explained = 0;
  const columns = truth.map((column, c): HiddenColumnScore => {
    checkLengths(`scoreHidden, column ${c}`, { truth: column, filled: filled[c], hidden: hidden[c] });
    const counts = new Uint8Array(column.length);
    let count = 0;
    for (let i = 0; i < column.length; i++)
      if (hidden[c]![i] && !Number.isNaN(column[i]!)) {
        counts[i] = 1;
        count++;
      }
    const range = columnRange(column);
    const x = minMaxScale(column, range);
    const xHat = minMaxScale(filled[c]!, range);
    const score = { cells: count, rmse: rmse(x, xHat, counts), mae: mae(x, xHat, counts), r2: r2(x, xHat, counts) };
    if (count > 0) {
      cells += count;
      squares += score.rmse ** 2 * count;
      absolutes += score.mae * count;
    }
    if (count > 1) explained += score.r2 * count;
    return score;
  });
  const scorable = columns.reduce((sum, column) => sum + (column.cells > 1 ? column.cells : 0), 0);
  return {
    cells,
    rmse: cells ? Math.sqrt(squares / cells) : Number.NaN,
    mae: cells ? absolutes / cells : Number.NaN,
    r2: scorable ? explained / scorable : Number.NaN,
    columns,
  };
}

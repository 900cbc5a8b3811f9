import {
  heldOutBand,
  type EncodedTable,
  type HeldOut,
  type Predictor,
  type Reconstruction,
  type TableLayout,
} from '@hourglass/autoencoder';
import { drawUniform } from '@hourglass/engine';
import { lowerBound } from '@hourglass/metrics';
import { fillOthers, turnOf, TURNS } from './refine.ts';

/** Held-out answers nearest to an answer, of which one gives its value. Source: Little 1988; mice takes 5. */
const DONORS = 5;

export interface DrawSpec {
  /** Of the model: by band of missing cells and number column. */
  heldOut: readonly (readonly HeldOut[])[];
  layout: TableLayout;
  seed: number;
  /** Which of the completed tables, 1-based. */
  draw: number;
  /** Number of the first row in the table: draws do not depend on how it is cut into chunks. */
  firstRow: number;
  /** Rounds in which half of the missing cells are drawn again given the other half. */
  rounds: number;
}

/**
 * One plausible value a missing cell instead of the likeliest one. Numbers by predictive mean matching: the value of a
 * held-out cell whose answer was near; booleans and categories by their probabilities. Cells of a row are drawn in turns,
 * each given the others as drawn so far, so that they fit together (Gibbs sampling over the row).
 *
 * @param first the answers for the row as it is
 */
export async function drawCells(
  answer: Predictor,
  encoded: EncodedTable,
  first: Reconstruction,
  spec: DrawSpec,
): Promise<Reconstruction> {
  const { rows } = encoded;
  const { numbers, booleans, categories } = spec.layout;
  const p = numbers + booleans;
  const width = p + categories.length;
  const result: Reconstruction = {
    rows,
    values: first.values.slice(),
    probabilities: first.probabilities.map((classes) => classes.slice()),
  };
  const missing = (row: number, column: number): boolean => encoded.w[row * width + column] === 0;
  let pass = 0;
  const put = (seen: EncodedTable, from: Reconstruction, asked: (row: number, column: number) => boolean): void => {
    const address = { seed: spec.seed, domain: 'host', step: spec.draw, call: 16 + pass++ } as const;
    const draws = drawUniform(address, rows * width, spec.firstRow * width);
    for (let row = 0; row < rows; row++) {
      const band = heldOutBand(seen.w.subarray(row * width, (row + 1) * width));
      for (let column = 0; column < width; column++) {
        if (!asked(row, column)) continue;
        const u = draws[row * width + column]!;
        if (column < numbers)
          result.values[row * p + column] = donated(
            donors(spec.heldOut, band, column),
            from.values[row * p + column]!,
            u,
          );
        else if (column < p) result.values[row * p + column] = u < from.values[row * p + column]! ? 1 : 0;
        else oneHot(from.probabilities[column - p]!, result.probabilities[column - p]!, row, rows, u);
      }
    }
  };
  put(encoded, first, missing);
  for (let round = 0; round < spec.rounds; round++)
    for (let turn = 0; turn < TURNS; turn++) {
      const asked = (row: number, column: number): boolean =>
        missing(row, column) && turnOf(spec.firstRow + row, column, round) === turn;
      const given = fillOthers(encoded, result, { p, q: categories.length, width }, asked);
      put(given, await answer.reconstruct(given), asked);
    }
  return result;
}

/** Held-out answers for rows with as many missing cells, or the next fewer where there are none. */
function donors(heldOut: DrawSpec['heldOut'], band: number, column: number): HeldOut {
  const enough = (at: number): boolean => heldOut[at]![column]!.predicted.length >= DONORS;
  for (let at = band; at >= 0; at--) if (enough(at)) return heldOut[at]![column]!;
  return (
    heldOut.map((columns) => columns[column]!).find(({ predicted }) => predicted.length > 0) ?? heldOut[band]![column]!
  );
}

/** Value of one of the held-out cells whose answers are nearest. */
function donated({ predicted, observed }: HeldOut, value: number, u: number): number {
  const n = predicted.length;
  if (n === 0) return value;
  const low = lowerBound(predicted, value);
  // Widen to the nearest ones on both sides.
  let start = low;
  let end = low;
  while (end - start < Math.min(DONORS, n)) {
    const left = start > 0 ? value - predicted[start - 1]! : Infinity;
    const right = end < n ? predicted[end]! - value : Infinity;
    if (left <= right) start--;
    else end++;
  }
  return observed[start + Math.floor(u * (end - start))]!;
}

/** The class at `u` of the cumulated probabilities, as a certainty. */
function oneHot(probabilities: Float32Array, into: Float32Array, row: number, rows: number, u: number): void {
  const classes = probabilities.length / rows;
  let winner = classes - 1;
  for (let k = 0, sum = 0; k < classes; k++) {
    sum += probabilities[row * classes + k]!;
    if (u >= sum) continue;
    winner = k;
    break;
  }
  into.fill(0, row * classes, (row + 1) * classes);
  if (winner >= 0) into[row * classes + winner] = 1;
}

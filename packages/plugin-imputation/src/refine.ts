import { FIRST_CATEGORY, type EncodedTable, type Predictor, type Reconstruction } from '@hourglass/autoencoder';

/** Missing cells are asked for again in this many turns, each turn with the others filled in. */
export const TURNS = 2;

/**
 * Answers for the missing cells, then `rounds` times: a half of them is hidden again while the other half stands filled,
 * so that a row with many missing cells is answered as one with fewer, which the net does better.
 * The input is left as it is.
 */
export async function refine(answer: Predictor, encoded: EncodedTable, rounds: number): Promise<Reconstruction> {
  const first = await answer.reconstruct(encoded);
  if (rounds === 0 || !encoded.w.includes(0)) return first;
  const result: Reconstruction = {
    rows: first.rows,
    values: first.values.slice(),
    probabilities: first.probabilities.map((classes) => classes.slice()),
  };
  const { rows } = encoded;
  const width = rows > 0 ? encoded.w.length / rows : 0;
  const q = rows > 0 ? encoded.codes.length / rows : 0;
  const p = width - q;
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < TURNS; turn++) {
      const asked = (row: number, column: number): boolean =>
        encoded.w[row * width + column] === 0 && turnOf(row, column, round) === turn;
      const filled = fillOthers(encoded, result, { p, q, width }, asked);
      const again = await answer.reconstruct(filled);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < width; column++) {
          if (!asked(row, column)) continue;
          if (column < p) result.values[row * p + column] = again.values[row * p + column]!;
          else {
            const k = column - p;
            const classes = result.probabilities[k]!.length / rows;
            result.probabilities[k]!.set(
              again.probabilities[k]!.subarray(row * classes, (row + 1) * classes),
              row * classes,
            );
          }
        }
    }
  return result;
}

/** A copy whose missing cells hold the answers so far, except those that are asked for. */
export function fillOthers(
  encoded: EncodedTable,
  answers: Reconstruction,
  { p, q, width }: { p: number; q: number; width: number },
  asked: (row: number, column: number) => boolean,
): EncodedTable {
  const x = encoded.x.slice();
  const w = encoded.w.slice();
  const codes = encoded.codes.slice();
  for (let row = 0; row < encoded.rows; row++)
    for (let column = 0; column < width; column++) {
      if (w[row * width + column] !== 0 || asked(row, column)) continue;
      w[row * width + column] = 1;
      if (column < p) x[row * p + column] = answers.values[row * p + column]!;
      else codes[row * q + column - p] = FIRST_CATEGORY + best(answers.probabilities[column - p]!, row, encoded.rows);
    }
  return { ...encoded, x, w, codes };
}

function best(probabilities: Float32Array, row: number, rows: number): number {
  const classes = probabilities.length / rows;
  let winner = 0;
  for (let k = 1; k < classes; k++)
    if (probabilities[row * classes + k]! > probabilities[row * classes + winner]!) winner = k;
  return winner;
}

/** In which turn of a round a cell is asked: a fixed scramble, so that neighbours fall into different turns. */
export const turnOf = (row: number, column: number, round: number): number => mix(row, column, round) % TURNS;

function mix(row: number, column: number, round: number): number {
  let h = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(column + 1, 0x85ebca6b) ^ Math.imul(round + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

import { hostRandom } from '@hourglass/engine';
import { evenly } from '@hourglass/metrics';
import { fillRow, fitGaussian, mostRows, RIDGE, type GaussianFitOptions } from './gaussian-fit.ts';

/** With so many rows a column the covariance is known well enough: nothing is tried. */
const ENOUGH_ROWS = 10;
/** Tried from the largest on, until one does worse. */
const RIDGES = [3, 1, 0.3, 0.1, 0.03, RIDGE];
/** Parts that the observed cells are divided into; one is hidden at a time. */
const PARTS = 10;
/** Hidden cells that tell ridges apart. */
const FEWEST_CELLS = 500;
/** Rounds of a trial: its order among the others is clear by then. */
const ROUNDS = 5;

/**
 * Chooses the ridge of a normal's fit. Where rows are few for the columns a covariance knows the rows by heart, and its
 * conditional means are worse than the columns' means; how much ridge that takes depends on how the columns hang
 * together, not on rows and columns alone. So a part of the observed cells is hidden, and that ridge chosen which
 * fills them best.
 *
 * Equal for equal rows.
 *
 * @param x - `[n, p]` row-major, normalised
 * @param observed - `[n, p]`, non-zero where `x` is to be believed
 * @param tried - called with its ridge as a trial goes on; it may throw to stop
 */
export async function chooseRidge(
  x: Float32Array,
  observed: ArrayLike<number>,
  p: number,
  tried?: (ridge: number) => Promise<void> | undefined,
): Promise<number> {
  const rows = evenly(p === 0 ? 0 : x.length / p, mostRows(p));
  if (rows.length === 0 || rows.length >= ENOUGH_ROWS * p) return RIDGE;
  const part = hidingParts(rows, observed, p);
  const used = new Float32Array(rows.length * p);
  for (let r = 0; r < rows.length; r++) used.set(x.subarray(rows[r]! * p, (rows[r]! + 1) * p), r * p);
  const cells = part.reduce((sum, mine) => sum + (mine >= 0 ? 1 : 0), 0);
  const parts = Math.min(PARTS, Math.ceil((FEWEST_CELLS * PARTS) / Math.max(1, cells)));
  let best = { ridge: RIDGE, error: Infinity };
  for (const ridge of RIDGES) {
    const trial = { ridge, maxRounds: ROUNDS, maxRows: rows.length, entered: () => tried?.(ridge) };
    let error = 0;
    for (let hidden = 0; hidden < parts; hidden++) error += await errorOfPart(used, part, hidden, p, trial);
    if (error > best.error) break;
    best = { ridge, error };
  }
  return best.ridge;
}

/** The part of each observed cell of the rows used, −1 of the others. */
function hidingParts(rows: ArrayLike<number>, observed: ArrayLike<number>, p: number): Int8Array {
  const random = hostRandom(0, 13);
  const part = new Int8Array(rows.length * p);
  for (let r = 0; r < rows.length; r++)
    for (let j = 0; j < p; j++)
      part[r * p + j] = observed[rows[r]! * p + j] ? Math.floor(random.uniform() * PARTS) : -1;
  return part;
}

/** Squared error of one part's cells, filled by a normal that was fitted without them. */
async function errorOfPart(
  x: Float32Array,
  part: Int8Array,
  hiding: number,
  p: number,
  trial: GaussianFitOptions,
): Promise<number> {
  const seen = Uint8Array.from(part, (mine) => (mine >= 0 && mine !== hiding ? 1 : 0));
  const normal = await fitGaussian(x, seen, p, trial);
  let error = 0;
  for (let r = 0; r * p < x.length; r++) {
    const hidden: number[] = [];
    for (let j = 0; j < p; j++) if (!seen[r * p + j]) hidden.push(j);
    if (!hidden.some((j) => part[r * p + j] === hiding)) continue;
    const filled = Float64Array.from(x.subarray(r * p, (r + 1) * p));
    fillRow(filled, 0, normal, hidden);
    for (const j of hidden) if (part[r * p + j] === hiding) error += (filled[j]! - x[r * p + j]!) ** 2;
  }
  return error;
}

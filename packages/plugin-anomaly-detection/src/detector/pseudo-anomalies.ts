import { takeRows, type EncodedTable, type TableEncoder } from '@hourglass/autoencoder';
import { hostRandom } from '@hourglass/engine';
import { PSEUDO_KINDS, type PseudoKind } from '../pseudo-kinds.ts';

/** Share of cells swapped, deviations a row is moved by. */
const SWAP = 0.15;
const SHIFT = [0.5, 2] as const;

/**
 * Spoiled copies of normal rows.
 * @param rows - held-out normal rows
 * @param donors - rows that cells and second rows are taken from
 */
export function pseudoAnomalies(
  { columns }: TableEncoder,
  rows: EncodedTable,
  donors: EncodedTable,
  kind: PseudoKind,
  seed: number,
): EncodedTable {
  const random = hostRandom(seed, PSEUDO_KINDS.indexOf(kind) + 10);
  const width = columns.length;
  const p = columns.filter(({ kind: of }) => of !== 'category').length;
  const q = width - p;
  const copy = takeRows(
    rows,
    Int32Array.from({ length: rows.rows }, (_, i) => i),
  );
  const donor = (): number => Math.min(donors.rows - 1, Math.floor(random.uniform() * donors.rows));
  const take = (i: number, j: number, from: number): void => {
    copy.w[i * width + j] = donors.w[from * width + j]!;
    if (j < p) copy.x[i * p + j] = donors.x[from * p + j]!;
    else copy.codes[i * q + (j - p)] = donors.codes[from * q + (j - p)]!;
  };
  for (let i = 0; i < copy.rows; i++) {
    const other = donor();
    const share = 0.3 + 0.4 * random.uniform();
    const move = (random.uniform() < 0.5 ? -1 : 1) * (SHIFT[0] + (SHIFT[1] - SHIFT[0]) * random.uniform());
    let swapped = false;
    for (let j = 0; j < width; j++) {
      const column = columns[j]!;
      const seen = copy.w[i * width + j]! > 0;
      const at = i * p + j;
      if (kind === 'swap') {
        if (random.uniform() < SWAP) {
          take(i, j, donor());
          swapped = true;
        }
      } else if (column.kind !== 'number') {
        // A category has no half-way: it comes from either row.
        if (random.uniform() < (kind === 'between' ? share : SWAP)) take(i, j, kind === 'between' ? other : donor());
      } else if (!seen) continue;
      else if (kind === 'shift') copy.x[at]! += move / Math.sqrt(column.weight);
      else if (donors.w[other * width + j]! > 0)
        copy.x[at] = (1 - share) * copy.x[at]! + share * donors.x[other * p + j]!;
    }
    if (kind === 'swap' && !swapped) take(i, Math.floor(random.uniform() * width) % width, donor());
  }
  return copy;
}

import { permutation } from '@hourglass/engine';
import { closestDistances, fitRecordSpace, nearerShare, placeRecords } from '@hourglass/metrics';
import type { ComparedTable } from './compared-table.ts';
import type { Closest } from './metrics-schema.ts';
import { rowHashes } from './row-hash.ts';

/** Rows of each table compared at most: all pairs are. */
const MOST = 3000;

/**
 * Whether drawn rows lie nearer to the rows learned from than to as many rows never seen. Half of them would by chance.
 */
export function closestRecords(
  { train, test, synthetic }: { train: ComparedTable; test: ComparedTable; synthetic: ComparedTable },
  seed: number,
): Closest {
  const space = fitRecordSpace(train.columns);
  const rows = Math.min(train.rows, test.rows, MOST);
  const some = (table: ComparedTable, most: number, stream: number): Float64Array =>
    placeRecords(space, table.columns, [...permutation(table.rows, seed, stream)].slice(0, most));
  const seen = some(train, rows, 11);
  const held = some(test, rows, 12);
  const queries = some(synthetic, Math.min(synthetic.rows, MOST), 13);
  const toTrain = closestDistances(space, seen, queries);
  const toHeld = closestDistances(space, held, queries);
  return {
    ...nearerShare(toTrain, toHeld),
    rows: queries.length / space.names.length,
    median: median(toTrain),
    realMedian: median(closestDistances(space, seen, held)),
  };
}

const median = (values: Float64Array): number => values.slice().sort()[Math.floor(values.length / 2)]!;

/** Rows of a table that equal a row of another in every column. */
export function countCopies(of: ComparedTable, table: ComparedTable): number {
  const names = Object.keys(of.columns);
  const known = new Set(rowHashes(of, names));
  return rowHashes(table, names).reduce((count, hash) => count + (known.has(hash) ? 1 : 0), 0);
}

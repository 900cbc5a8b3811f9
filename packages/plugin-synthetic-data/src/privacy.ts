import { permutation } from '@hourglass/engine';
import { closestDistances, fitRecordSpace, nearerShare, placeRecords } from '@hourglass/metrics';
import type { ComparedTable } from './compared-table.ts';
import type { Closest } from './metrics-schema.ts';
import { rowHashes } from './row-hash.ts';

/** Rows of each table compared at most: all pairs are. */
const MOST = 10_000;
/** Differences of cells that may be taken for one table: of wide ones fewer rows are compared. */
const BUDGET = 7e9;

/**
 * Whether drawn rows lie nearer to the rows learned from than to as many rows never seen. Half of them would by chance.
 * @returns the measure, for any number of tables of drawn rows
 */
export function closestRecords(
  train: ComparedTable,
  test: ComparedTable,
  seed: number,
): (synthetic: ComparedTable) => Closest {
  const space = fitRecordSpace(train.columns);
  const most = Math.min(MOST, Math.floor(Math.sqrt(BUDGET / space.names.length)));
  const rows = Math.min(train.rows, test.rows, most);
  const some = (table: ComparedTable, most: number, stream: number): Float64Array =>
    placeRecords(space, table.columns, [...permutation(table.rows, seed, stream)].slice(0, most));
  const seen = some(train, rows, 11);
  const held = some(test, rows, 12);
  const realMedian = median(closestDistances(space, seen, held));
  return (synthetic) => {
    const queries = some(synthetic, Math.min(synthetic.rows, most), 13);
    const toTrain = closestDistances(space, seen, queries);
    return {
      ...nearerShare(toTrain, closestDistances(space, held, queries)),
      rows: queries.length / space.names.length,
      median: median(toTrain),
      realMedian,
    };
  };
}

const median = (values: Float64Array): number => values.slice().sort()[Math.floor(values.length / 2)]!;

/** How many rows of a table equal a row of this one in every column. */
export function copiesOf(of: ComparedTable): (table: ComparedTable) => number {
  const names = Object.keys(of.columns);
  const known = new Set(rowHashes(of, names));
  return (table) => rowHashes(table, names).reduce((count, hash) => count + (known.has(hash) ? 1 : 0), 0);
}

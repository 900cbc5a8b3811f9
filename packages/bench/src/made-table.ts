import { join } from 'node:path';
import { openStore } from '@hourglass/artifacts';
import { queryDataset } from '@hourglass/dataset';

const COLUMNS = 16;

/**
 * Parquet of 16 columns of doubles, 5 % missing. Written by DuckDB; hash() instead of random numbers, so that every run
 * reads the same bytes.
 * @returns the path of the file, below `folder`
 */
export async function makeTable(folder: string, rows: number): Promise<string> {
  const { artifacts } = await openStore(join(folder, 'made'));
  const cell = (c: number): string =>
    `CASE WHEN hash(i * ${COLUMNS} + ${c} + 1) % 20 > 0 THEN (hash(i * ${COLUMNS} + ${c}) % 1000000007) / 1e6 - 500 END AS x${c}`;
  const columns = Array.from({ length: COLUMNS }, (_, c) => cell(c));
  const ref = await queryDataset(artifacts, {
    inputs: {},
    sql: `SELECT ${columns.join(', ')} FROM range(${rows}) r(i)`,
  });
  const { parts } = await artifacts.get(ref, 'dataset');
  return artifacts.localPath(parts[0]!.digest);
}

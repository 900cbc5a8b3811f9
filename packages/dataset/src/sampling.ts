import type { Connection } from './duckdb.ts';

/** How many rows to keep: a share of them, or a number of them. */
export type Sample = { fraction: number } | { rows: number };

/** A number in [0, 2^64) for a row, decided by seed and row alone: neither threads nor the order of scans touch it. */
export const rowHash = (seed: number, row: string): string => `md5_number_lower('${seed}:' || ${row})`;

/** The condition on `row` (0-based) that keeps a sample of `total` rows; exactly as many as asked where a number is. */
export async function sampleCondition(
  connection: Connection,
  sample: Sample,
  seed: number,
  total: number,
  row: string,
): Promise<string> {
  const hash = rowHash(seed, row);
  if ('fraction' in sample)
    return sample.fraction >= 1
      ? 'true'
      : `${hash} < ${BigInt(Math.floor(sample.fraction * 2 ** 53)) * 2n ** 11n}::UBIGINT`;
  if (sample.rows >= total) return 'true';
  const [last] = await connection.rows<{ h: string }>(
    `SELECT max(h)::VARCHAR AS h FROM (SELECT ${rowHash(seed, 'i')} AS h FROM range(${total}) r(i) ORDER BY h LIMIT ${sample.rows})`,
  );
  return `${hash} <= ${last!.h}::UBIGINT`;
}

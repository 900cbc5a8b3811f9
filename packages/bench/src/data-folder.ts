import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HourglassError } from '@hourglass/core';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * A data set of the benchmarks: in `HOURGLASS_BENCH_DATA`, or in `shared/data` beside the repository.
 * @throws SOURCE_NOT_FOUND naming the places looked at
 */
export function benchmarkData(file: string): string {
  const folders = process.env.HOURGLASS_BENCH_DATA
    ? [resolve(process.env.HOURGLASS_BENCH_DATA)]
    : [resolve(ROOT, '../shared/data')];
  const found = folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (found) return found;
  throw new HourglassError(
    'SOURCE_NOT_FOUND',
    `benchmark data ${file}: not in ${folders.join(', ')}; point HOURGLASS_BENCH_DATA at the folder that holds it`,
  );
}

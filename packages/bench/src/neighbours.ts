import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exactNeighbours } from '@hourglass/autoencoder';
import { openDataset } from '@hourglass/dataset';
import { engineStatuses, isBuiltIn, resolveEngine } from '@hourglass/engine';
import { nearestNeighbours, type Neighbours, type NumberMatrix } from '@hourglass/metrics';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { LABELS, labelledTable } from './labelled-tables.ts';
import { runPython } from './python.ts';
import { threeDigits } from './rounded.ts';
import { withStages } from './with-stages.ts';

export const name = 'neighbours';
export const summary = 'The ten nearest of 60 000 images of 784 pixels, exactly, by engine, beside scikit-learn';

const K = 10;
const QUERIES = 2000;
/** Queries of the loop over all pairs: it takes its time. */
const LOOPED = 100;

export async function run({ engines, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  await withStages(async (stage, { store, folder }) => {
    log('reading MNIST');
    const tables = await labelledTable(stage, 'mnist');
    const read = async (table: 'train' | 'test', most: number): Promise<NumberMatrix & { data: Float32Array }> => {
      const reader = await openDataset(store, tables[table]);
      const pixels = reader.columns.map(({ name }) => name).filter((name) => name !== LABELS.mnist);
      const { data } = await reader.matrix(pixels, { limit: most });
      const count = Math.min(most, reader.rows);
      return { rows: count, cols: data.length / count, data };
    };
    const base = await read('train', Infinity);
    const queries = await read('test', QUERIES);
    const files = { base: join(folder, 'base.raw'), queries: join(folder, 'queries.raw') };
    await writeFile(files.base, base.data);
    await writeFile(files.queries, queries.data);

    log('scikit-learn');
    const {
      seconds: peer,
      distances,
      versions,
    } = await runPython<Peer>('neighbour_peers.py', [
      ...[files.base, files.queries, '--width', `${base.cols}`, '--k', `${K}`],
    ]);
    const add = (method: string, asked: number, seconds: number, found?: Neighbours): void =>
      addRow({
        method,
        'ms a query': threeDigits((1000 * seconds) / asked),
        '× scikit-learn': threeDigits(seconds / asked / (peer / QUERIES)),
        'sum of the ten distances': threeDigits(
          found ? found.squared.reduce((sum, d) => sum + Math.sqrt(d), 0) / asked : distances / QUERIES,
        ),
      });
    add(`scikit-learn ${versions['scikit-learn']}, brute force`, QUERIES, peer);
    const some = { ...queries, rows: LOOPED, data: queries.data.subarray(0, LOOPED * queries.cols) };
    const looped = await timed(() => nearestNeighbours(base, some, K));
    for (const { name: engine, available } of engineStatuses()) {
      if (!available || isBuiltIn(engine) || !(engines?.includes(engine) ?? true)) continue;
      log(engine);
      const resolved = await resolveEngine(engine);
      const { seconds, result } = await timed(() => exactNeighbours(resolved, base, queries, K));
      add(`Hourglass, ${engine}`, QUERIES, seconds, result);
      const same = looped.result.indices.every((row, at) => row === result.indices[at]);
      notes.push(
        `${engine}: ${same ? 'the very rows of' : 'OTHER ROWS than'} the loop over all pairs, ${LOOPED} queries`,
      );
    }
    add('Hourglass, loop over all pairs', LOOPED, looped.seconds, looped.result);
  });
  notes.push(`${QUERIES} test images among all 60 000 of MNIST, k = ${K}; compiling is in the time`);
  return { rows, notes };
}

interface Peer {
  seconds: number;
  /** Sum over all queries and neighbours. */
  distances: number;
  versions: Record<string, string>;
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

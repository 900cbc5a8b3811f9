import { join } from 'node:path';
import type { ArtifactRef } from '@hourglass/core';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { benchmarkData } from './data-folder.ts';
import { runPython } from './python.ts';
import type { RunStage } from './run-stage.ts';
import { deviation, mean } from './spread.ts';
import { withStages } from './with-stages.ts';

export const name = 'imputation';
export const summary =
  'RMSE over hidden cells by GAIN’s protocol: 20 % MCAR, min-max scale, fit and score on the same matrix';

interface TableCase {
  table: string;
  /** Options of imputation/train. */
  train: Record<string, unknown>;
  /** Options of imputation/impute. @default none */
  impute?: Record<string, unknown>;
  /** What others measured with these methods: the benchmark guards itself by meeting it. */
  known: Record<string, number>;
}

/** For tables of thousands of rows: few values, many zeros, long tails. */
const DISTRIBUTION = {
  answers: 'distribution',
  pieces: 16,
  normalisation: 'standard',
  skip: 'none',
  width: 256,
  latentDim: 128,
  batchSize: 256,
  validationFraction: 0,
  ensemble: 5,
};

const TABLES: TableCase[] = [
  {
    table: 'wdbc',
    train: { epochs: 60, width: 128, blocks: 1, latentDim: 16, ensemble: 5 },
    known: { mean: 0.1439, knn: 0.0734, ice: 0.05, missforest: 0.0566 },
  },
  {
    table: 'spambase',
    train: { ...DISTRIBUTION, epochs: 240, blocks: 1 },
    known: { mean: 0.0565, knn: 0.0529, ice: 0.0506, missforest: 0.0425 },
  },
  {
    table: 'letter',
    train: { ...DISTRIBUTION, epochs: 110, blocks: 2 },
    known: { mean: 0.1542, knn: 0.0693, ice: 0.1135, missforest: 0.0614 },
  },
];

const METHODS: Record<string, string> = {
  mean: 'column mean',
  knn: 'k-NN, k = 5',
  ice: 'ICE, Bayesian ridge',
  missforest: 'missForest, 100 trees',
  ours: 'Hourglass imputation/train',
};

/** How far a peer's figure may be from the known one: masks differ. */
const GUARD = 0.05;

interface Peers {
  cells: number;
  scores: Record<string, { rmse: number; seconds: number }>;
  versions: Record<string, string>;
}

/** RMSE and seconds of every method, by mask. */
type Scores = Record<string, { rmse: number[]; seconds: number[] }>;

export async function run({ seeds = 3, tables, peers, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const chosen = TABLES.filter(({ table }) => tables?.includes(table) ?? true);
  const files = chosen.map(({ table }) => benchmarkData(`${table}.parquet`));
  const notes: string[] = [];
  const columns: { table: string; scores: Scores }[] = [];
  await withStages(async (stage, { folder }) => {
    for (const [t, { table, train, impute, known }] of chosen.entries()) {
      const scores: Scores = {};
      for (let seed = 0; seed < seeds; seed++) {
        log(`${table}, mask ${seed + 1} of ${seeds}: peers`);
        const prefix = join(folder, `${table}-${seed}-`);
        const peer = await runPython<Peers>('imputation_peers.py', [
          files[t]!,
          '--seed',
          String(seed),
          '--out',
          prefix,
          ...(peers ? ['--peers', peers.join(',')] : []),
        ]);
        log(`${table}, mask ${seed + 1} of ${seeds}: Hourglass`);
        const ours = await fill(stage, prefix, train, impute ?? {});
        for (const [method, { rmse, seconds }] of Object.entries({ ...peer.scores, ours })) {
          scores[method] ??= { rmse: [], seconds: [] };
          scores[method].rmse.push(rmse);
          scores[method].seconds.push(seconds);
          // At once: a run of an hour that is ended early has said what it found.
          log(`${table}, mask ${seed + 1} of ${seeds}: ${METHODS[method]} ${rmse.toFixed(4)}, ${seconds.toFixed(0)} s`);
        }
        if (notes.length === 0)
          notes.push(
            `masks: GAIN’s, uniform numbers of NumPy RandomState(0 … ${seeds - 1}) ≥ 0.8; ± is the standard deviation over masks`,
            `peers: ${Object.entries(peer.versions)
              .map(([library, version]) => `${library} ${version}`)
              .join(
                ', ',
              )}; missForest is IterativeImputer with RandomForestRegressor(100 trees, all columns a split), 3 rounds`,
          );
      }
      for (const [method, figure] of Object.entries(known)) {
        if (!scores[method]) continue;
        const found = mean(scores[method].rmse);
        const met = Math.abs(found / figure - 1) <= GUARD;
        notes.push(`guard ${table} ${method}: known ${figure}, found ${found.toFixed(4)}${met ? '' : ', NOT MET'}`);
      }
      notes.push(
        `${table}: options of imputation/train ${JSON.stringify(train)}${impute ? `, of imputation/impute ${JSON.stringify(impute)}` : ''}`,
      );
      columns.push({ table, scores });
    }
  });
  const rows = Object.entries(METHODS)
    .filter(([method]) => columns.some(({ scores }) => scores[method]))
    .map(([method, title]) => {
      const row: Record<string, string | number> = { method: title };
      for (const { table, scores } of columns) {
        const score = scores[method];
        row[table] = score ? `${mean(score.rmse).toFixed(4)} ± ${deviation(score.rmse).toFixed(4)}` : '';
        row[`${table} s`] = score ? Number(mean(score.seconds).toFixed(1)) : '';
      }
      return row;
    });
  return { rows, notes };
}

/** Fills one table by the shipped stages. */
async function fill(
  stage: RunStage,
  prefix: string,
  train: Record<string, unknown>,
  impute: Record<string, unknown>,
): Promise<{ rmse: number; seconds: number }> {
  const read = async (what: string): Promise<ArtifactRef> =>
    (await stage('data/ingest', { uri: `${prefix}${what}.parquet`, profile: false })).outputs.data!;
  const [truth, masked, mask] = [await read('truth'), await read('masked'), await read('mask')];
  const trained = await stage('imputation/train', train, { data: masked });
  const imputed = await stage(
    'imputation/impute',
    { exact: true, ...impute },
    { data: masked, model: trained.outputs.model! },
  );
  const { metrics } = await stage(
    'imputation/evaluate',
    { baselines: [], maxRows: 1_000_000 },
    { imputed: imputed.outputs.data!, truth, mask },
  );
  return { rmse: (metrics.metrics as { rmse: number }).rmse, seconds: trained.seconds + imputed.seconds };
}

import { join } from 'node:path';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { chosenTables, LABELS, labelledTable, type LabelledTable } from './labelled-tables.ts';
import { runPython } from './python.ts';
import { withStages } from './with-stages.ts';

export const name = 'features';
export const summary =
  'Logistic regression on few labels: raw columns, PCA, features learned without labels, and both; a random forest on raw columns beside it';

/** What a table is asked: options of feature-extraction/train, and numbers of labels. */
const CASES: { table: LabelledTable; budgets: number[]; train: Record<string, unknown> }[] = [
  {
    table: 'letter',
    budgets: [300, 1300],
    train: {
      normalisation: 'standard',
      pieces: 16,
      latentDim: 32,
      width: 256,
      blocks: 3,
      epochs: 80,
      batchSize: 256,
      contrast: 3,
      neighbours: 5,
      swapRate: 0,
      validationFraction: 0,
    },
  },
  {
    table: 'satellite',
    budgets: [300],
    train: {
      normalisation: 'standard',
      pieces: 8,
      latentDim: 32,
      width: 256,
      blocks: 2,
      epochs: 120,
      swapRate: 0.15,
    },
  },
  {
    table: 'mnist',
    budgets: [100, 1000],
    train: {
      latentDim: 32,
      base: 'pca',
      shape: [28, 28],
      warp: 0.4,
      contrast: 0.3,
      architecture: 'conv',
      width: 64,
      epochs: 6,
      learningRate: 0.002,
      weightDecay: 0,
      swapRate: 0,
      validationFraction: 0.01,
      shardMiB: 1024,
    },
  },
];

/** Accuracy of the random forest of scikit-learn and of raw columns, as measured before: what this run must meet. */
const KNOWN: Record<string, { raw: number; forest?: number }> = {
  'mnist 100': { raw: 0.752 },
  'mnist 1000': { raw: 0.878, forest: 0.907 },
  'letter 1300': { raw: 0.684, forest: 0.826 },
  'satellite 300': { raw: 0.814, forest: 0.849 },
};
const GUARD = 0.02;

interface Metrics {
  table: { budget: number; learner: string; features: string; accuracy: number; spread: number }[];
}
interface Forest {
  scores: Record<string, { accuracy: number; spread: number }>;
  versions: Record<string, string>;
}

export async function run({
  tables,
  seeds = 5,
  peers,
  budgets: labels,
  epochs,
  log,
}: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  const wanted = chosenTables([...new Set(CASES.map(({ table }) => table))], tables);
  await withStages(async (stage, { folder }) => {
    for (const { table, budgets: all, train: given } of CASES.filter((each) => wanted.includes(each.table))) {
      const budgets = all.filter((budget) => labels?.includes(budget) ?? true);
      if (budgets.length === 0) continue;
      const train = { ...given, ...(epochs === undefined ? {} : { epochs }) };
      const label = LABELS[table];
      log(`${table}: learning without labels`);
      const split = await labelledTable(stage, table);
      const learned = await stage('feature-extraction/train', { label, ...train }, { data: split.train });
      log(`${table}: what labels are worth`);
      const { metrics } = await stage(
        'feature-extraction/evaluate',
        // Deep activations of a wide network would be thousands of features.
        {
          label,
          budgets,
          repeats: seeds,
          learners: ['logistic'],
          maxTest: 10_000,
          kind: table === 'mnist' ? 'latent' : 'deep',
        },
        { model: learned.outputs.model!, train: split.train, test: split.test },
      );
      const scores = (metrics.metrics as Metrics).table;
      let forest: Forest | undefined;
      if (peers?.includes('forest') ?? true) {
        log(`${table}: random forest`);
        const files = { train: join(folder, `${table}-train.parquet`), test: join(folder, `${table}-test.parquet`) };
        for (const part of ['train', 'test'] as const)
          await stage('data/export', { uri: files[part] }, { data: split[part] });
        forest = await runPython<Forest>('feature_peers.py', [
          ...[files.train, files.test, '--label', label, '--budgets', budgets.join(','), '--seeds', String(seeds)],
        ]);
      }
      for (const budget of budgets) {
        const of = (features: string): Metrics['table'][number] =>
          scores.find((row) => row.budget === budget && row.features === features)!;
        const shown = ({ accuracy, spread }: { accuracy: number; spread: number }): string =>
          `${accuracy.toFixed(3)} ± ${spread.toFixed(3)}`;
        const tree = forest?.scores[String(budget)];
        addRow({
          table,
          labels: budget,
          raw: shown(of('raw')),
          PCA: shown(of('pca')),
          features: shown(of('features')),
          'raw + features': shown(of('raw+features')),
          'random forest': tree ? shown(tree) : '',
          'train s': Math.round(learned.seconds),
        });
        const known = KNOWN[`${table} ${budget}`];
        const guard = (what: string, expected: number, found: number): void =>
          void notes.push(
            `guard ${table}-${budget} ${what}: known ${expected}, found ${found.toFixed(3)}${Math.abs(found - expected) <= GUARD ? '' : ', NOT MET'}`,
          );
        if (known) guard('raw', known.raw, of('raw').accuracy);
        if (known?.forest !== undefined && tree) guard('random forest', known.forest, tree.accuracy);
      }
      notes.push(`${table}: options of feature-extraction/train ${JSON.stringify(train)}`);
      if (forest) notes.push(`${table}: random forest of scikit-learn ${forest.versions['scikit-learn']}, 300 trees`);
    }
  });
  notes.push(`± is the standard deviation over ${seeds} draws of labelled rows; the encoder never sees the test rows`);
  return { rows, notes };
}

import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { chosenTables, LABELS, labelledTable, type LabelledTable } from './labelled-tables.ts';
import { NEAR_ROWS, NEAR_ROWS_8 } from './near-options.ts';
import { rounded } from './rounded.ts';
import { withStages } from './with-stages.ts';

export const name = 'reduction';
export const summary = 'What few dimensions keep of rows not learned from, beside PCA of the same size';

/** One training of a table: options of dimensionality-reduction/train, and the sizes read from it. */
interface Case {
  table: LabelledTable;
  train: Record<string, unknown>;
  dims?: number[];
}

const WIDE = {
  architecture: 'mlp',
  width: 1024,
  blocks: 4,
  batchSize: 128,
  learningRate: 0.0025,
  weightDecay: 0,
  validationFraction: 0.01,
  shardMiB: 1024,
};

const CASES: Case[] = [
  {
    table: 'digits',
    train: { latentDim: 16, ordered: true, normalisation: 'pooled', width: 256, epochs: 160 },
    dims: [1, 2, 4, 8, 16],
  },
  {
    table: 'letter',
    train: { latentDim: 8, ordered: true, width: 256, blocks: 2, epochs: 60, batchSize: 256 },
    dims: [1, 2, 4, 8],
  },
  {
    table: 'satellite',
    train: { latentDim: 8, ordered: true, width: 256, epochs: 100, patience: 100 },
    dims: [1, 2, 4, 8],
  },
  { table: 'mnist', train: { ...WIDE, latentDim: 30, epochs: 40 } },
  { table: 'mnist', train: NEAR_ROWS_8 },
  { table: 'mnist', train: { ...NEAR_ROWS, latentDim: 2, width: 256, epochs: 30 } },
];

/** Known figures of PCA on MNIST: squared error of 30 components (unclipped, pixels in [0, 1]); 1-NN accuracy. */
const PCA_30 = 13.87;
const PCA_NEAREST: Record<number, number> = { 2: 0.39, 8: 0.876 };

interface Metrics {
  squaredError: number;
  knnAccuracy: number | null;
  worstRatio: number | null;
  baselines: { pca: { squaredError: number; knnAccuracy: number | null } };
  curve: { d: number; squaredError: number; pca: { squaredError: number } }[];
}

export async function run({ tables, dims: sizes, epochs, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  const wanted = chosenTables(['digits', 'letter', 'satellite', 'mnist'], tables);
  await withStages(async (stage) => {
    for (const { table, train: given, dims } of CASES.filter((each) => wanted.includes(each.table))) {
      const train = { ...given, ...(epochs === undefined ? {} : { epochs }) };
      const d = given.latentDim as number;
      if (!(sizes?.includes(d) ?? true)) continue;
      log(`${table}: ${d} dimensions`);
      const split = await labelledTable(stage, table);
      const learned = await stage(
        'dimensionality-reduction/train',
        { exclude: [LABELS[table]], ...train },
        { data: split.train },
      );
      // Of the guard only the squared error counts.
      const measure = async (clip: boolean): Promise<Metrics> => {
        const inputs = { data: split.test, reference: split.train, model: learned.outputs.model! };
        const options = {
          ...(clip ? { label: LABELS[table] } : {}),
          clip,
          maxRows: 60_000,
          neighbourRows: 500,
          ...(dims ? { dims } : {}),
          ...(table === 'mnist' ? { scale: 'raw' } : {}),
        };
        return (await stage('dimensionality-reduction/evaluate', options, inputs)).metrics.metrics as Metrics;
      };
      const metrics = await measure(true);
      // MNIST's figures are customary for pixels in [0, 1].
      const unit = table === 'mnist' ? 255 ** 2 : 1;
      for (const point of metrics.curve)
        addRow({
          table,
          d: point.d,
          'squared error': round(point.squaredError / unit),
          'PCA squared error': round(point.pca.squaredError / unit),
          ratio: round(point.squaredError / point.pca.squaredError),
          '1-NN': point.d === d ? round(metrics.knnAccuracy ?? NaN) : '',
          'PCA 1-NN': point.d === d ? round(metrics.baselines.pca.knnAccuracy ?? NaN) : '',
          'train s': point.d === d ? Math.round(learned.seconds) : '',
        });
      notes.push(`${table}, d = ${d}: options of dimensionality-reduction/train ${JSON.stringify(train)}`);
      if (table === 'mnist') notes.push(...(await guards(d, metrics, measure)));
    }
  });
  notes.push(
    'rows not learned from: MNIST’s 10 000 test images, else a fifth put aside by class; both clipped to the range of training',
  );
  return { rows, notes };
}

/** What PCA is known to give on MNIST, found again. */
async function guards(d: number, clipped: Metrics, measure: (clip: boolean) => Promise<Metrics>): Promise<string[]> {
  const said = (what: string, known: number, found: number, within: number): string =>
    `guard MNIST PCA ${what}: known ${known}, found ${round(found)}${Math.abs(found - known) <= within ? '' : ', NOT MET'}`;
  if (d === 30) {
    const { baselines } = await measure(false);
    return [said('d = 30, unclipped squared error', PCA_30, baselines.pca.squaredError / 255 ** 2, 0.01)];
  }
  const known = PCA_NEAREST[d];
  return known === undefined ? [] : [said(`d = ${d}, 1-NN`, known, clipped.baselines.pca.knnAccuracy ?? NaN, 0.005)];
}

const round = (value: number): number => rounded(value, 3);

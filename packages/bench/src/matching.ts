import { queryDataset } from '@hourglass/dataset';
import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { chosenTables, LABELS, labelledTable } from './labelled-tables.ts';
import { withStages } from './with-stages.ts';

export const name = 'matching';
export const summary =
  'The ten nearest of a query in the latent space: their share of its class, recall of the approximate index, and its speed';

const CASES = {
  digits: { latentDim: 8, ordered: false, normalisation: 'pooled', width: 256, epochs: 60 },
  mnist: {
    latentDim: 8,
    ordered: false,
    architecture: 'mlp',
    width: 1024,
    blocks: 2,
    epochs: 26,
    learningRate: 0.004,
    weightDecay: 0,
    validationFraction: 0.01,
    shardMiB: 1024,
  },
} as const;
type Case = keyof typeof CASES;

/** Known figures of PCA: 1-NN accuracy of 8 components on MNIST, all 10 000 queries. */
const PCA_NEAREST = 0.876;
const OBJECTS = 100_000;

interface Scores {
  accuracy: number;
  precisionAtK: number;
}
interface Metrics extends Scores {
  recallAt10: number | null;
  baselines: { pca: Scores; raw: Scores };
}

export async function run({ tables, rows: asked, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const rows: BenchmarkResult['rows'] = [];
  const notes: string[] = [];
  await withStages(async (stage, { store }) => {
    for (const table of chosenTables(Object.keys(CASES) as Case[], tables)) {
      const { train, test } = await labelledTable(stage, table);
      log(`${table}: learning`);
      const options = { exclude: [LABELS[table]], ...CASES[table] };
      const { outputs, seconds } = await stage('object-matching/train', options, { data: train });
      const model = outputs.model!;
      const index = await stage('object-matching/index', { search: 'approximate' }, { data: train, model });
      log(`${table}: queries`);
      const { metrics } = await stage(
        'object-matching/evaluate',
        { label: LABELS[table], noise: 0, occlusion: 0, maxQueries: 10_000 },
        { index: index.outputs.index!, gallery: train, data: test },
      );
      const found = metrics.metrics as Metrics;
      const { pca, raw } = found.baselines;
      rows.push({
        table,
        d: CASES[table].latentDim,
        'P@10': round(found.precisionAtK),
        'PCA P@10': round(pca.precisionAtK),
        'raw P@10': round(raw.precisionAtK),
        '1-NN': round(found.accuracy),
        'PCA 1-NN': round(pca.accuracy),
        'recall@10 of the index': round(found.recallAt10 ?? NaN),
        'train s': Math.round(seconds),
      });
      notes.push(`${table}: options of object-matching/train ${JSON.stringify(CASES[table])}`);
      if (table === 'mnist')
        notes.push(
          `guard MNIST PCA d = 8, 1-NN: known ${PCA_NEAREST}, found ${round(pca.accuracy)}${Math.abs(pca.accuracy - PCA_NEAREST) <= 0.005 ? '' : ', NOT MET'}`,
        );

      if (table !== 'digits') continue;
      const objects = asked ?? OBJECTS;
      log(`${objects} objects`);
      // Digits again and again, each pixel moved a little: no two are equal, as none would be in a gallery.
      const made = async (count: number, seed: number) =>
        queryDataset(store, {
          inputs: { train },
          sql: `SELECT COLUMNS(c -> c <> 'label') + (hash(i, ${seed}) % 1000) / 1000.0 AS "\\0" FROM train, range(${Math.ceil(count / train.rows!)}) r(i) LIMIT ${count}`,
        });
      const gallery = await made(objects, 1);
      const queries = await made(10_000, 2);
      const built = await stage('object-matching/index', { search: 'approximate' }, { data: gallery, model });
      const asking = await stage('object-matching/match', { k: 10 }, { index: built.outputs.index!, data: queries });
      const exact = await stage(
        'object-matching/match',
        { k: 10, search: 'exact' },
        { index: built.outputs.index!, data: queries },
      );
      notes.push(
        `${objects} objects of ${CASES.digits.latentDim} dimensions: latents computed and indexed in ${built.seconds.toFixed(1)} s; 10 000 queries, each with its latent and ten matches, ` +
          `in ${asking.seconds.toFixed(1)} s (${Math.round(10_000 / asking.seconds)} a second) by the index, ${exact.seconds.toFixed(1)} s compared with every object; start of the stage and the written table included`,
      );
    }
  });
  return { rows, notes };
}

const round = (value: number): number => Number(value.toFixed(3));

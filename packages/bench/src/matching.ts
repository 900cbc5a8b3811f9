import type { BenchmarkOptions, BenchmarkResult } from './benchmark.ts';
import { growingTable } from './growing-table.ts';
import { chosenTables, LABELS, labelledTable } from './labelled-tables.ts';
import { indexOfMany } from './matching-index.ts';
import { NEAR_ROWS_8 } from './near-options.ts';
import { rounded } from './rounded.ts';
import { withStages } from './with-stages.ts';

export const name = 'matching';
export const summary =
  'The ten nearest of a query in the latent space: their share of its class, recall of the approximate index, and its speed';

const CASES = {
  digits: { latentDim: 8, ordered: false, normalisation: 'pooled', width: 256, epochs: 60 },
  mnist: { ...NEAR_ROWS_8, ordered: false },
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

export async function run({ tables, rows: asked, peers, epochs, log }: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rows, addRow } = growingTable(log);
  const notes: string[] = [];
  const wanted = chosenTables(['digits', 'mnist', 'objects'], tables);
  await withStages(async (stage, place) => {
    // Many objects are looked for by the model of the digits.
    for (const table of (Object.keys(CASES) as Case[]).filter(
      (each) => wanted.includes(each) || (each === 'digits' && wanted.includes('objects')),
    )) {
      const { train, test } = await labelledTable(stage, table);
      log(`${table}: learning`);
      const given = { ...CASES[table], ...(epochs === undefined ? {} : { epochs }) };
      const options = { exclude: [LABELS[table]], ...given };
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
      addRow({
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
      notes.push(`${table}: options of object-matching/train ${JSON.stringify(given)}`);
      if (table === 'mnist')
        notes.push(
          `guard MNIST PCA d = 8, 1-NN: known ${PCA_NEAREST}, found ${round(pca.accuracy)}${Math.abs(pca.accuracy - PCA_NEAREST) <= 0.005 ? '' : ', NOT MET'}`,
        );

      if (table !== 'digits' || !wanted.includes('objects')) continue;
      log('an index of many objects');
      const peer = peers?.includes('hnswlib') ?? true;
      notes.push(...(await indexOfMany(stage, place, { model, digits: train, objects: asked ?? OBJECTS, peer })));
    }
  });
  return { rows, notes };
}

const round = (value: number): number => rounded(value, 3);

import { putFigures } from '@hourglass/artifacts';
import { encodeTable, generatorPasses } from '@hourglass/autoencoder';
import type { ArtifactRef } from '@hourglass/core';
import { HourglassError } from '@hourglass/core';
import { openDataset, sampleRows } from '@hourglass/dataset';
import { hostRandom } from '@hourglass/engine';
import {
  fitGaussianCopula,
  fitPca,
  independentColumns,
  pcaTransform,
  sampleCopula,
  tableSimilarity,
  type GaussianCopula,
} from '@hourglass/metrics';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { columnsToCompare, readCompared, refuseText, type ComparedTable } from './compared-table.ts';
import { evaluationFigures, type LatentMap } from './evaluation-figures.ts';
import { loadGenerator, type Generator } from './generator-model.ts';
import { measureLikelihood } from './likelihood.ts';
import type { evaluate } from './index.ts';
import type { Baseline, EvaluationMetrics, Worth } from './metrics-schema.ts';
import { pictureGrids } from './picture-grids.ts';
import { closestRecords, copiesOf } from './privacy.ts';
import { discriminatorAuc, labelClasses, utility } from './utility.ts';

const STAGE = 'synthetic-data/evaluate';
/** Points of each kind on the latent map. */
const POINTS = 800;

/** Drawn rows and simple generators beside the rows learned from and rows never seen. */
export const run: StageRun<typeof evaluate> = async (context, inputs, options) => {
  const store = context.artifacts;
  const { label, learners, maxRows } = options;
  const readers = {
    synthetic: await openDataset(store, inputs.synthetic),
    train: await openDataset(store, inputs.train),
    test: await openDataset(store, inputs.test),
  };
  for (const [name, { rows }] of Object.entries(readers))
    if (rows < FEWEST)
      throw new HourglassError(
        'DATA_INSUFFICIENT',
        `${STAGE}: expected at least ${FEWEST} rows in \`${name}\`, found ${rows}; there is nothing to measure`,
      );
  const generator = inputs.model && (await loadGenerator(store, inputs.model, STAGE));
  const columns = columnsToCompare(STAGE, readers.synthetic, { train: readers.train, test: readers.test }, [
    ...options.exclude,
    ...(generator?.rules.unique ?? []).map(({ name }) => name),
  ]);
  const wanted = {
    names: columns.map(({ name }) => name),
    categorical: new Set([...options.categorical, ...numericNames(generator), ...(label === undefined ? [] : [label])]),
  };
  if (label !== undefined && !wanted.names.includes(label))
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `${STAGE}: label: the tables have no common column "${label}"; they have ${wanted.names.slice(0, 12).join(', ')}`,
      { details: { option: 'label', column: label } },
    );
  const read = async (name: keyof typeof readers): Promise<ComparedTable> => {
    const table = await readCompared(readers[name], wanted, maxRows);
    refuseText(STAGE, table);
    return table;
  };
  const [train, test, synthetic] = [await read('train'), await read('test'), await read('synthetic')];
  const classes = label === undefined ? [] : labelClasses(STAGE, label, train);
  const breathe = async (done: number, message: string): Promise<void> => {
    context.signal.throwIfAborted();
    context.progress(done, message);
    // A turn of the event loop, so that a message asking to stop is heard.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const closest = closestRecords(train, test, context.seed);
  const copies = copiesOf(train);
  const worthOf = (
    table: ComparedTable,
    { shapes, pairs, allPairs, quality } = tableSimilarity(train.columns, table.columns),
  ): Worth => {
    return {
      shapes,
      pairs,
      allPairs,
      quality,
      utility: label === undefined ? {} : utility(table, test, label, classes, learners, context.seed),
      discriminator: discriminatorAuc(train, table, context.seed),
      closest: closest(table),
      copies: copies(table),
      nullGap: nullGap(train, table),
    };
  };
  await breathe(0.05, 'the drawn rows');
  const likeness = tableSimilarity(train.columns, synthetic.columns);
  const worth = worthOf(synthetic, likeness);
  await breathe(0.4, 'learners on real rows');
  const real = label === undefined ? {} : utility(train, test, label, classes, learners, context.seed);
  const baselines: EvaluationMetrics['baselines'] = {};
  const copula =
    options.baselines.length > 0 ? fitGaussianCopula(train.columns, hostRandom(context.seed, 51).uniform) : undefined;
  for (const [k, name] of options.baselines.entries()) {
    await breathe(0.5 + (0.4 * k) / options.baselines.length, `baseline ${name}`);
    baselines[name] = worthOf(baselineRows(name, copula!, synthetic.rows, context.seed));
  }
  await breathe(0.9, 'likelihood');
  const likelihood =
    generator && options.latents > 0
      ? await measureLikelihood(context, STAGE, generator, readers.test, {
          rows: options.likelihoodRows,
          latents: options.latents,
        })
      : null;
  await breathe(0.95, 'figures');
  const map = generator && (await latentMap(context, generator, inputs));
  return {
    metrics: {
      ...worth,
      rows: synthetic.rows,
      test: test.rows,
      scoredBy: label === undefined ? 'none' : classes.length === 2 ? 'auroc' : 'accuracy',
      real,
      repeats: copies(test),
      baselines,
      // A column without a value on one side has no score.
      columns: Object.fromEntries(Object.entries(likeness.columns).filter(([, score]) => !Number.isNaN(score))),
      likelihood,
    },
    figures: await putFigures(store, [
      ...evaluationFigures(train, synthetic, likeness, map),
      ...(await pictureGrids(STAGE, readers.synthetic, readers.train, options.picture)),
    ]),
  };
};

const FEWEST = 20;

/** Numbers the model took for names. */
const numericNames = (generator: Generator | undefined): string[] =>
  (generator?.model.encoder.columns ?? []).flatMap((column) =>
    column.kind === 'category' && column.numeric ? [column.name] : [],
  );

function baselineRows(name: Baseline, copula: GaussianCopula, rows: number, seed: number): ComparedTable {
  const { normal } = hostRandom(seed, 52);
  return { rows, columns: sampleCopula(name === 'copula' ? copula : independentColumns(copula), rows, normal) };
}

function nullGap(real: ComparedTable, made: ComparedTable): number {
  const share = ({ rows, columns }: ComparedTable, name: string): number => {
    const column = columns[name]!;
    const cells = column.kind === 'numeric' ? column.values : column.codes;
    let missing = 0;
    for (const cell of cells) if (column.kind === 'numeric' ? Number.isNaN(cell) : cell < 0) missing++;
    return missing / rows;
  };
  return Object.keys(real.columns).reduce(
    (most, name) => Math.max(most, Math.abs(share(real, name) - share(made, name))),
    0,
  );
}

/** Latents of real and drawn rows on the plane of the real ones' first two principal components. */
async function latentMap(
  context: StageContext,
  { model }: Generator,
  { train, synthetic }: { train: ArtifactRef; synthetic: ArtifactRef },
): Promise<LatentMap | undefined> {
  const d = model.description.network.latentDim;
  if (d < 2) return undefined;
  const names = model.encoder.columns.map(({ name }) => name);
  const passes = await generatorPasses(await context.engine(), model);
  try {
    const latents = async (ref: ArtifactRef) => {
      const table = await sampleRows(await openDataset(context.artifacts, ref), names, POINTS);
      return { rows: table.rows, cols: d, data: (await passes.posterior(encodeTable(model.encoder, table))).mu };
    };
    const [real, drawn] = [await latents(train), await latents(synthetic)];
    const pca = fitPca(real, 2);
    return { real: pcaTransform(pca, real), synthetic: pcaTransform(pca, drawn) };
  } finally {
    passes.dispose();
  }
}

import {
  generatorPasses,
  prepareVariational,
  reportProgress,
  trainedMetrics,
  trainVariational,
  type Model,
  type VariationalLesson,
} from '@hourglass/autoencoder';
import { HourglassError, type ArtifactRef, type StageOptions } from '@hourglass/core';
import { openDataset, type DatasetReader } from '@hourglass/dataset';
import type { Engine } from '@hourglass/engine';
import type { StageContext, StageRun } from '@hourglass/plugin-kit';
import { collectCombinations } from './combinations.ts';
import { parseComparisons, requireHeld } from './comparisons.ts';
import { saveGenerator, type Generator } from './generator-model.ts';
import type { train } from './index.ts';
import { fitLatentPrior } from './latent-prior.ts';
import { onceOnly, rowHashes } from './row-hash.ts';
import type { Rules } from './rules.ts';
import { fitUnique } from './unique-columns.ts';

type Options = StageOptions<typeof train>;

const STAGE = 'synthetic-data/train';
/** Raise when models of the version before cannot be applied any more. */
const VERSION = 1;
/** A distribution cannot be learned from fewer rows without repeating them. */
const FEWEST = 20;

/** x → x, the latent near a normal distribution, and then where the rows' latents lie. */
export const run: StageRun<typeof train> = async (context, { data }, options) => {
  const reader = await openDataset(context.artifacts, data);
  requireRows(reader);
  context.progress(0, 'reading the table');
  const unique = await fitUnique(STAGE, requireColumns(reader, options.unique), options.unique);
  const lesson = await prepareVariational(
    reader,
    { ...options, exclude: [...new Set([...options.exclude, ...options.unique])] },
    context.seed,
  );
  const rules = rulesOf(lesson, options, unique);
  for (const notice of lesson.notices) context.log.warn(notice);
  const left = reader.columns.filter(
    ({ name }) => lesson.encoder.ignored.includes(name) && !options.unique.includes(name),
  );
  if (left.length > 0)
    context.log.info(`not learned, so not in the rows drawn: ${left.map(({ name }) => name).join(', ')}`);
  const engine = await context.engine();
  const trained = await trainVariational(engine, lesson, {
    signal: context.signal,
    resume: await context.checkpoint.load(),
    save: (checkpoint) => context.checkpoint.save(checkpoint),
    progress: (progress) => reportProgress(context, progress, 0, 1, 0, 0.9),
  });
  const model = describe(lesson, options, engine, reader, trained.params);
  context.progress(0.9, 'where the rows lie among the latents');
  const { generator, activeDims } = await complete(context, engine, lesson, model, rules);
  const ref: ArtifactRef = await saveGenerator(context.artifacts, generator);
  await context.artifacts.annotate(ref.digest, { curves: [trained.curve] });
  return {
    model: ref,
    metrics: {
      ...trainedMetrics(trained),
      rows: reader.rows,
      columns: lesson.encoder.columns.length,
      activeDims,
      components: generator.prior.weights.length,
    },
  };
};

function requireRows({ rows }: DatasetReader): void {
  if (rows < FEWEST)
    throw new HourglassError(
      'DATA_INSUFFICIENT',
      `${STAGE}: expected at least ${FEWEST} rows, found ${rows}: rows drawn from so few would be copies; provide more rows`,
      { details: { rows, needed: FEWEST } },
    );
}

/** @throws COLUMN_NOT_FOUND */
function requireColumns(reader: DatasetReader, names: readonly string[]): DatasetReader {
  const absent = names.find((name) => !reader.columns.some((column) => column.name === name));
  if (absent !== undefined)
    throw new HourglassError(
      'COLUMN_NOT_FOUND',
      `${STAGE}: unique: the table has no column "${absent}"; it has ${reader.columns
        .map(({ name }) => name)
        .slice(0, 12)
        .join(', ')}`,
      { details: { option: 'unique', column: absent } },
    );
  return reader;
}

function rulesOf(
  { encoder, heads, table, all, network: { order } }: VariationalLesson,
  options: Options,
  unique: Rules['unique'],
): Rules {
  const numbers = encoder.columns.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  const comparisons = parseComparisons(STAGE, options.constraints, numbers);
  requireHeld(STAGE, comparisons, table);
  const place = new Map(order.map((column, at) => [column, at]));
  const combinations = collectCombinations(
    STAGE,
    options.combinations,
    encoder,
    heads,
    table.rows,
    (row, column) => all.target!.values[row * order.length + place.get(column)!]!,
  );
  return { comparisons, combinations, unique };
}

const describe = (
  lesson: VariationalLesson,
  options: Options,
  engine: Engine,
  reader: DatasetReader,
  params: Model['members'][number],
): Model => ({
  description: {
    format: 1,
    application: 'synthetic-data',
    version: VERSION,
    readOut: { kind: 'generate', stage: 'synthetic-data/reconstruct', output: 'data' },
    network: lesson.network.spec,
    options: { ...options },
    seed: lesson.seed,
    engine: engine.class,
    rows: reader.rows,
  },
  encoder: lesson.encoder,
  shared: lesson.shared,
  members: [params],
});

/** Adds what rows are drawn with besides the network. */
async function complete(
  context: StageContext,
  engine: Engine,
  { encoder, heads, table, encoded }: VariationalLesson,
  model: Model,
  rules: Rules,
): Promise<{ generator: Generator; activeDims: number }> {
  const d = model.description.network.latentDim;
  const passes = await generatorPasses(engine, model);
  try {
    const posterior = await passes.posterior(encoded);
    const prior = fitLatentPrior(posterior, d, context.seed);
    const seen = onceOnly(
      rowHashes(
        table,
        encoder.columns.map(({ name }) => name),
      ),
    );
    return { generator: { model, heads, prior, rules, seen }, activeDims: activeDimensions(posterior.mu, d) };
  } finally {
    passes.dispose();
  }
}

function activeDimensions(mu: Float32Array, d: number): number {
  const n = mu.length / d;
  let active = 0;
  for (let j = 0; j < d; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      sum += mu[i * d + j]!;
      squares += mu[i * d + j]! ** 2;
    }
    if (squares / n - (sum / n) ** 2 > 0.01) active++;
  }
  return active;
}

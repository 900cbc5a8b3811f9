import { setImmediate } from 'node:timers/promises';
import { deriveSeed, HourglassError } from '@hourglass/core';
import type { Engine, ParamArrays } from '@hourglass/engine';
import { encodeSample } from '../columns/sample.ts';
import { realWidth, tableLayout, valueWidth, type TableEncoder } from '../columns/encoder.ts';
import { fitTable, type TableSource } from '../columns/fit.ts';
import { toData } from '../model/data.ts';
import { MODEL_FORMAT, type ModelDescription } from '../model/model.ts';
import { buildNetwork } from '../network/build.ts';
import type { Network, NetworkSpec } from '../network/network.ts';
import { WIDEST_PCA } from '../network/pca-base.ts';
import { drawNearRows, nearRows, type NearRows } from '../neighbours/near-rows.ts';
import type { LearnerOptions } from '../options.ts';
import type { Trained, TrainingTask } from '../training/task.ts';
import { train, type TrainingHooks } from '../training/train.ts';
import type { Application } from './application.ts';
import { rowLossOf } from './row-loss.ts';
import { splitCells, splitRows, type Split } from './split.ts';
import { spoolRows } from './spool-rows.ts';
import { encodedRowBytes, openSpool } from './spool.ts';

/** A table made ready to train an application's networks on. Equal in every process for equal inputs. */
export interface Lesson<O extends LearnerOptions = LearnerOptions> {
  application: Application<O>;
  options: O;
  seed: number;
  encoder: TableEncoder;
  network: Network;
  split: Split;
  /** Near rows of the rows to train on and of those that judge, where the application draws such. */
  near?: { own: NearRows; others?: NearRows };
  shared: ParamArrays;
  rows: number;
  /** What a person should know. */
  notices: string[];
  /** Removes what was put on disk. */
  close(): Promise<void>;
}

/** Where a table larger than memory is encoded to. */
export interface LessonPlace {
  /** A fresh path for a file. */
  tempPath(suffix: string): Promise<string>;
  signal?: AbortSignal;
  /** Long work before training, for people. */
  progress?(message: string): void;
}

/**
 * Columns, network and split from a table and options. Rows that take more than `shardMiB` are encoded to a file at
 * `place` and trained on shard by shard; without a place all are held in memory.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID, DATA_INSUFFICIENT
 */
export async function prepareLesson<O extends LearnerOptions>(
  application: Application<O>,
  source: TableSource,
  options: O,
  seed: number,
  place?: LessonPlace,
): Promise<Lesson<O>> {
  if (options.answers === 'distribution' && options.pieces === 0)
    throw new HourglassError(
      'OPTION_INVALID',
      'answers: distribution stands on the bounds of pieces, found pieces: 0; set pieces, 16 for example, or answers: value',
      { details: { option: 'answers' } },
    );
  const { encoder, notices } = await fitTable(source, { ...options, vectors: application.vectors });
  const spec = networkSpec(encoder, options);
  const network = buildNetwork(application.network?.(spec, options) ?? spec);
  const wide = valueWidth(network.spec.layout);
  const lists = network.spec.layout.vectors?.length ?? 0;
  if (network.spec.skip === 'gaussian' && (wide > WIDEST_GAUSSIAN || wide === 0 || lists > 0)) {
    notices.push(
      wide === 0
        ? 'skip: gaussian needs numeric columns, the table has none: the network learns without'
        : `skip: gaussian is for tables of up to ${WIDEST_GAUSSIAN} numeric columns and no vectors, this one has ${lists > 0 ? `vectors (${lists})` : wide}: linear is used`,
    );
    network.spec.skip = wide === 0 ? 'none' : 'linear';
  }
  const reals = realWidth(network.spec.layout);
  if (network.spec.base === 'pca' && reals > WIDEST_PCA) {
    notices.push(
      `base: pca is for tables of up to ${WIDEST_PCA} numeric columns and elements of vectors, this one has ${reals}: the network starts without`,
    );
    network.spec.base = 'none';
  }
  const settled = buildNetwork(network.spec);
  const { split, close } = await splitOf(application, source, encoder, options, seed, place);
  const trained = split.rows?.rows ?? split.train.rows;
  const closing = async (error: unknown): Promise<never> => {
    await close();
    throw error;
  };
  const near = await nearRowsOf(application, split, settled.spec, options, place).catch(closing);
  const began = performance.now();
  const shared = await settled
    .prior(split.prior ?? split.train, encoder.columns, async (message) => {
      // A turn of the event loop: requests to stop come in, and news go out.
      await setImmediate();
      place?.signal?.throwIfAborted();
      if (performance.now() - began > WORTH_SAYING_MS) place?.progress?.(message);
    })
    .catch(closing);
  if (source.rows > options.maxRows)
    notices.push(`trained on a sample of ${trained} of ${source.rows} rows (maxRows: ${options.maxRows})`);
  if (split.rows)
    notices.push(
      `${trained} rows are trained on in shards of ${options.shardMiB} MiB (shardMiB), ${((trained * split.rows.rowBytes) / 2 ** 20).toFixed(0)} MiB in all; the next one is read while one trains`,
    );
  if (options.validationFraction > 0 && !split.validation)
    notices.push(`too few data to put ${options.validationFraction} aside for validation: all epochs are trained`);
  const held = valueWidth(settled.spec.layout) + settled.spec.layout.categories.length;
  if (settled.spec.latentDim >= held && !application.wide)
    notices.push(
      `latentDim ${settled.spec.latentDim} is not smaller than the ${held} columns: the latent compresses nothing`,
    );
  return {
    application,
    options,
    seed,
    encoder,
    network: settled,
    split,
    ...(near ? { near } : {}),
    shared,
    rows: source.rows,
    notices,
    close,
  };
}

/** What is over sooner is not told. */
const WORTH_SAYING_MS = 1000;

/** Near rows of all rows of a split, of an application that draws such. @throws OPTION_INVALID when they are not in memory */
async function nearRowsOf<O extends LearnerOptions>(
  application: Application<O>,
  { train, rows, validation }: Split,
  { layout }: NetworkSpec,
  options: O,
  place: LessonPlace | undefined,
): Promise<Lesson['near']> {
  const k = application.neighbours?.(options) ?? 0;
  if (k === 0) return undefined;
  if (rows) {
    const needed = Math.ceil((rows.rows * rows.rowBytes) / 2 ** 20);
    throw new HourglassError(
      'OPTION_INVALID',
      `neighbours: near rows are looked for among rows in memory, ${needed} MiB here, more than shardMiB: ${options.shardMiB}; set shardMiB to ${needed} or more, maxRows lower, or neighbours: 0`,
      { details: { option: 'neighbours' } },
    );
  }
  return nearRows(
    toData(train),
    k,
    layout.categories.map(({ codes }) => codes),
    {
      others: validation,
      signal: place?.signal,
      entered: (done) => place?.progress?.(`looking for near rows: ${done} of ${train.rows}`),
    },
  );
}

/** Rows in memory where they fit, else in a file. */
async function splitOf<O extends LearnerOptions>(
  application: Application<O>,
  source: TableSource,
  encoder: TableEncoder,
  options: O,
  seed: number,
  place: LessonPlace | undefined,
): Promise<{ split: Split; close(): Promise<void> }> {
  const kind = application.validation ?? 'rows';
  const layout = tableLayout(encoder);
  const shardBytes = options.shardMiB * 2 ** 20;
  const bytes = Math.min(source.rows, options.maxRows) * encodedRowBytes(layout);
  const { chunks } = source;
  if (place && chunks && bytes > shardBytes) {
    const spool = await openSpool(await place.tempPath('.rows'), layout, options.batchSize);
    try {
      const split = await spoolRows(
        { rows: source.rows, chunks: (names) => chunks.call(source, names) },
        encoder,
        spool,
        {
          kind,
          fraction: options.validationFraction,
          maxRows: options.maxRows,
          shardBytes,
          seed: deriveSeed(seed, 'rows'),
          signal: place.signal,
        },
      );
      return { split, close: () => spool.close() };
    } catch (error) {
      await spool.close();
      throw error;
    }
  }
  const encoded = await encodeSample(source, encoder, options.maxRows, deriveSeed(seed, 'rows'));
  const divide = kind === 'cells' ? splitCells : splitRows;
  return {
    split: divide(encoded, options.validationFraction, deriveSeed(seed, 'validation')),
    close: async () => undefined,
  };
}

/** A precision matrix of 512 columns is solved in milliseconds a batch; beyond that it would dominate the step. */
const WIDEST_GAUSSIAN = 512;

const networkSpec = (encoder: TableEncoder, options: LearnerOptions): NetworkSpec => ({
  kind: 'tabular',
  architecture: options.architecture,
  layout: tableLayout(encoder),
  latentDim: options.latentDim,
  width: options.width,
  blocks: options.blocks,
  dropout: options.dropout,
  skip: options.skip,
  ...(options.pieces > 0 ? { pieces: options.pieces } : {}),
  ...(options.answers === 'distribution' ? { answers: options.answers } : {}),
});

/** Trains member `member` of the ensemble; its seed is derived from the lesson's. */
export async function trainMember<O extends LearnerOptions>(
  engine: Engine,
  lesson: Lesson<O>,
  member: number,
  hooks: TrainingHooks,
): Promise<Trained> {
  const { application, network, options, shared, split, near } = lesson;
  const seed = deriveSeed(lesson.seed, `member/${member}`);
  const task: TrainingTask = {
    params: { ...shared, ...network.init(seed) },
    frozen: Object.keys(shared),
    data: split.rows ?? toData(split.train),
    validation: split.validation,
    ...(near ? withNearRows(split, near, seed) : {}),
    // A row is told from as many others as in training.
    validationBatch: application.contrast?.(options) ? options.batchSize : network.rowsAtOnce,
    rowLoss: rowLossOf(application, network, options),
  };
  const trained = await train(engine, task, { ...options, seed }, hooks);
  for (const name of Object.keys(shared)) delete trained.params[name];
  return trained;
}

/** Beside each row one of its near rows, all of them rows to train on. */
function withNearRows(
  { train, validation }: Split,
  near: NonNullable<Lesson['near']>,
  seed: number,
): Pick<TrainingTask, 'drawn' | 'validation'> {
  return {
    drawn: (epoch) => drawNearRows(train, near.own, seed, epoch),
    ...(validation && near.others
      ? { validation: { ...validation, ...drawNearRows(train, near.others, seed, 0) } }
      : {}),
  };
}

/** The JSON part of the model a lesson leads to. */
export const describe = (lesson: Lesson, engine: Engine): ModelDescription => ({
  format: MODEL_FORMAT,
  application: lesson.application.name,
  version: lesson.application.version,
  readOut: lesson.application.readOut,
  network: lesson.network.spec,
  options: { ...lesson.options },
  seed: lesson.seed,
  engine: engine.class,
  rows: lesson.rows,
});

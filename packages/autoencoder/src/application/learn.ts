import { deriveSeed } from '@hourglass/core';
import type { Engine, ParamArrays } from '@hourglass/engine';
import { encodeSample } from '../columns/sample.ts';
import { tableLayout, type TableEncoder } from '../columns/encoder.ts';
import { fitTable, type TableSource } from '../columns/fit.ts';
import { toData } from '../model/data.ts';
import { MODEL_FORMAT, type ModelDescription } from '../model/model.ts';
import { buildNetwork } from '../network/build.ts';
import type { Network, NetworkSpec } from '../network/network.ts';
import { WIDEST_PCA } from '../network/pca-base.ts';
import type { LearnerOptions } from '../options.ts';
import type { Trained, TrainingTask } from '../training/task.ts';
import { train, type TrainingHooks } from '../training/train.ts';
import type { Application } from './application.ts';
import { rowLossOf } from './row-loss.ts';
import { splitCells, splitRows, type Split } from './split.ts';

/** A table made ready to train an application's networks on. Equal in every process for equal inputs. */
export interface Lesson<O extends LearnerOptions = LearnerOptions> {
  application: Application<O>;
  options: O;
  seed: number;
  encoder: TableEncoder;
  network: Network;
  split: Split;
  shared: ParamArrays;
  rows: number;
  /** What a person should know. */
  notices: string[];
}

/**
 * Columns, network and split from a table and options.
 * @throws COLUMN_NOT_FOUND, COLUMN_INVALID, DATA_INSUFFICIENT
 */
export async function prepareLesson<O extends LearnerOptions>(
  application: Application<O>,
  source: TableSource,
  options: O,
  seed: number,
): Promise<Lesson<O>> {
  const { encoder, notices } = await fitTable(source, options);
  const encoded = await encodeSample(source, encoder, options.maxRows, deriveSeed(seed, 'rows'));
  if (encoded.rows < source.rows)
    notices.push(`trained on a sample of ${encoded.rows} of ${source.rows} rows (maxRows: ${options.maxRows})`);
  const spec = networkSpec(encoder, options);
  const network = buildNetwork(application.network?.(spec, options) ?? spec);
  const wide = network.spec.layout.numbers + network.spec.layout.booleans;
  if (network.spec.skip === 'gaussian' && (wide > WIDEST_GAUSSIAN || wide === 0)) {
    notices.push(
      wide === 0
        ? 'skip: gaussian needs numeric columns, the table has none: the network learns without'
        : `skip: gaussian is for tables of up to ${WIDEST_GAUSSIAN} numeric columns, this one has ${wide}: linear is used`,
    );
    network.spec.skip = wide === 0 ? 'none' : 'linear';
  }
  if (network.spec.base === 'pca' && network.spec.layout.numbers > WIDEST_PCA) {
    notices.push(
      `base: pca is for tables of up to ${WIDEST_PCA} numeric columns, this one has ${network.spec.layout.numbers}: the network starts without`,
    );
    network.spec.base = 'none';
  }
  const settled = buildNetwork(network.spec);
  const split = (application.validation === 'cells' ? splitCells : splitRows)(
    encoded,
    options.validationFraction,
    deriveSeed(seed, 'validation'),
  );
  if (options.validationFraction > 0 && !split.validation)
    notices.push(`too few data to put ${options.validationFraction} aside for validation: all epochs are trained`);
  if (settled.spec.latentDim >= encoder.columns.length)
    notices.push(
      `latentDim ${settled.spec.latentDim} is not smaller than the ${encoder.columns.length} columns: the latent compresses nothing`,
    );
  return {
    application,
    options,
    seed,
    encoder,
    network: settled,
    split,
    shared: settled.prior(split.train),
    rows: source.rows,
    notices,
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
});

/** Trains member `member` of the ensemble; its seed is derived from the lesson's. */
export async function trainMember<O extends LearnerOptions>(
  engine: Engine,
  lesson: Lesson<O>,
  member: number,
  hooks: TrainingHooks,
): Promise<Trained> {
  const { application, network, options, shared, split } = lesson;
  const seed = deriveSeed(lesson.seed, `member/${member}`);
  const task: TrainingTask = {
    params: { ...shared, ...network.init(seed) },
    frozen: Object.keys(shared),
    data: toData(split.train),
    validation: split.validation,
    rowLoss: rowLossOf(application, network, options),
  };
  const trained = await train(engine, task, { ...options, seed }, hooks);
  for (const name of Object.keys(shared)) delete trained.params[name];
  return trained;
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

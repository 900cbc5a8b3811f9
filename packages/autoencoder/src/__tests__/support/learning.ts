import type { Checkpoint } from '@hourglass/artifacts';
import * as tf from '@tensorflow/tfjs';
import { hostRandom, type Engine } from '@hourglass/engine';
import { z } from 'zod';
import { identityExample, type Application } from '../../application/application.ts';
import { prepareLesson, trainMember, type Lesson } from '../../application/learn.ts';
import type { TableSource } from '../../columns/fit.ts';
import { hideCells } from '../../network/corruptions.ts';
import { learnerOptions, type LearnerOptions } from '../../options.ts';
import type { Model, ModelDescription } from '../../model/model.ts';
import type { TrainingHooks } from '../../training/train.ts';
import { numbers, sourceOf } from './workbench.ts';

const readOut = { kind: 'reconstruct', stage: 'model/reconstruct', output: 'data' } as const;

/** x → x. */
export const identity: Application = {
  name: 'identity',
  version: 1,
  readOut,
  example: (batch) => identityExample(batch, tf.step(batch.w)),
};

/** x with hidden cells → the hidden cells. */
export const filling: Application = {
  name: 'filling',
  version: 1,
  readOut,
  validation: 'cells',
  example(batch, context, _, layout) {
    const width = layout.numbers + layout.booleans + layout.categories.length;
    const hidden = hideCells(context.random, batch.w.shape[0]!, width, 0.6);
    return {
      ...identityExample(batch, tf.mul(tf.step(batch.w), tf.sub(1, hidden))),
      weight: tf.mul(batch.w, hidden),
    };
  },
};

export const optionsOf = (given: Partial<LearnerOptions>): LearnerOptions =>
  z.object(learnerOptions).parse({ width: 8, latentDim: 2, epochs: 5, batchSize: 16, ...given });

/** n rows of `columns` numbers that depend on `rank` hidden ones, with some noise. */
export function lowRank(n: number, columns: number, rank: number, seed = 1): TableSource {
  const random = hostRandom(seed);
  const loadings = Array.from({ length: rank }, () => Array.from({ length: columns }, () => random.normal()));
  const rows = Array.from({ length: n }, () => {
    const z = loadings.map((_, k) => random.normal() * (rank - k));
    return Array.from(
      { length: columns },
      (_, j) => z.reduce((sum, value, k) => sum + value * loadings[k]![j]!, 0) + 0.3 * random.normal(),
    );
  });
  return sourceOf(
    Object.fromEntries(Array.from({ length: columns }, (_, j) => [`c${j}`, numbers(rows.map((row) => row[j]!))])),
  );
}

export const lessonOf = (
  source: TableSource,
  given: Partial<LearnerOptions>,
  application: Application = identity,
  seed = 1,
): Promise<Lesson> => prepareLesson(application, source, optionsOf(given), seed);

/** What was learned, as a model loaded from a store; of its description only what a test asks for. */
export const modelOf = (
  { network, encoder, shared }: Pick<Lesson, 'encoder' | 'shared'> & { network: { spec: unknown } },
  members: Model['members'],
  description: Partial<ModelDescription> = {},
): Model => ({ description: { network: network.spec, ...description }, encoder, shared, members }) as unknown as Model;

/** Trains one member and keeps the checkpoints it saved. */
export async function learn(engine: Engine, lesson: Lesson, hooks: TrainingHooks = {}) {
  const checkpoints: Checkpoint[] = [];
  const trained = await trainMember(engine, lesson, 0, {
    save: async (checkpoint) => void checkpoints.push(structuredClone(checkpoint)),
    ...hooks,
  });
  return { trained, checkpoints };
}

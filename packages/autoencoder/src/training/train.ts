import type { Checkpoint } from '@hourglass/artifacts';
import { HourglassError } from '@hourglass/core';
import {
  scheduleRate,
  type CompiledForward,
  type DataArray,
  type Engine,
  type ParamArrays,
  type TrainingSpec,
} from '@hourglass/engine';
import * as tf from '@tensorflow/tfjs';
import { diverged } from './divergence.ts';
import { shardedEpochs, wholeEpochs, type EpochTraining } from './epochs.ts';
import { fromCheckpoint, toCheckpoint, type Position } from './progress-state.ts';
import { rowsOf } from './rows-of.ts';
import { isRowSource } from './row-source.ts';
import { scheduleOf } from './schedule.ts';
import type { Trained, TrainingOptions, TrainingProgress, TrainingTask } from './task.ts';

/** The occasion of a training: none of it changes the result. */
export interface TrainingHooks {
  signal?: AbortSignal;
  /** After every epoch, and within long ones. */
  progress?(progress: TrainingProgress): void;
  /** Where to continue from. */
  resume?: Checkpoint;
  /** Called every few seconds and before stopping at an abort. */
  save?(checkpoint: Checkpoint): Promise<void>;
  /** Wished length of a call into the engine, ms. @default 500 */
  sliceMs?: number;
  /** @default 5000 */
  checkpointMs?: number;
}

/**
 * Trains in slices short enough to report, save and stop between them; slices and resumptions do not change results.
 * With validation rows the weights of the best epoch are kept, the untrained ones (epoch 0) among them.
 * @throws TRAINING_DIVERGED, CANCELLED
 */
export async function train(
  engine: Engine,
  task: TrainingTask,
  options: TrainingOptions,
  hooks: TrainingHooks = {},
): Promise<Trained> {
  const rows = isRowSource(task.data) ? task.data.rows : rowsOf(task.data);
  const batchSize = Math.min(options.batchSize, rows);
  const schedule = scheduleOf(options, Math.ceil(rows / batchSize) * options.epochs);
  const spec: Omit<TrainingSpec, 'data'> = {
    params: task.params,
    frozen: task.frozen,
    batchSize,
    schedule,
    seed: options.seed,
    optimizer: {
      kind: 'adamw',
      weightDecay: options.weightDecay,
      clipNorm: options.clipNorm,
      noDecay: NO_DECAY,
    },
    loss: (batch, params, context) => {
      const { loss, weight } = task.rowLoss(batch, params, context);
      return tf.div(tf.sum(loss), tf.add(tf.sum(weight), 1e-6)) as tf.Scalar;
    },
  };
  const training = isRowSource(task.data)
    ? await shardedEpochs(engine, spec, task.data, options.epochs)
    : await wholeEpochs(engine, spec, task.data, task.drawn);
  const judge = task.validation && (await validator(engine, task, task.validation));
  try {
    return await run({
      training,
      judge,
      task,
      options,
      hooks,
      rate: (step) => scheduleRate(schedule, step),
    });
  } finally {
    training.dispose();
    judge?.dispose();
  }
}

/** Weight decay is for kernels: not for biases, norms and embeddings. */
const NO_DECAY = /(bias|gain|table)$/;

interface Run {
  training: EpochTraining;
  judge: Validator | undefined;
  task: TrainingTask;
  options: TrainingOptions;
  hooks: TrainingHooks;
  rate(step: number): number;
}

async function run({ training, judge, task, options, hooks, rate }: Run): Promise<Trained> {
  const { epochs } = options;
  const { stepsPerEpoch } = training;
  let position: Position = { epoch: 1, batch: 0, lossSum: 0, curve: [], bestEpoch: 0 };
  let best: Record<string, Float32Array> | undefined;
  if (hooks.resume) {
    const saved = fromCheckpoint(hooks.resume);
    ({ position, best } = saved);
    await training.writeState(saved.state);
  } else if (judge) {
    const params = (await training.readState()).params;
    position.bestLoss = await judge.score(params);
    if (!Number.isFinite(position.bestLoss)) position.bestLoss = undefined;
    best = params;
    position.curve.push({ epoch: 0, validationLoss: position.bestLoss });
  }
  let slice = 1;
  let lastSaved = performance.now();
  const started = performance.now();
  const firstStep = (position.epoch - 1) * stepsPerEpoch + position.batch;
  const save = async (): Promise<void> => {
    if (!hooks.save) return;
    await hooks.save(toCheckpoint(position, await training.readState(), best));
    lastSaved = performance.now();
  };
  const report = (loss: number | undefined): void => {
    const done = (position.epoch - 1) * stepsPerEpoch + position.batch;
    const pace = (performance.now() - started) / Math.max(1, done - firstStep);
    hooks.progress?.({
      epoch: position.batch > 0 ? position.epoch : position.epoch - 1,
      epochs,
      loss,
      validationLoss: position.curve.at(-1)?.validationLoss,
      fraction: done / (epochs * stepsPerEpoch),
      eta: ((epochs * stepsPerEpoch - done) * pace) / 1000,
    });
  };
  const stopped = (): boolean =>
    position.epoch > epochs || (judge !== undefined && position.epoch - 1 - position.bestEpoch >= options.patience);

  while (!stopped()) {
    if (position.batch === 0) await enterEpoch(training, task, position.epoch);
    while (position.batch < stepsPerEpoch) {
      // A turn of the event loop, so that a message asking to stop is heard before native code blocks it again.
      await new Promise((resolve) => setImmediate(resolve));
      if (hooks.signal?.aborted) {
        await save();
        throw new HourglassError('CANCELLED', `training was stopped in epoch ${position.epoch} of ${epochs}`, {
          cause: hooks.signal.reason,
        });
      }
      const start = performance.now();
      const losses = await training.run(
        position.epoch,
        position.batch,
        Math.min(stepsPerEpoch, position.batch + slice),
      );
      const to = position.batch + losses.length;
      for (const [index, loss] of losses.entries()) {
        const step = (position.epoch - 1) * stepsPerEpoch + position.batch + index;
        if (!Number.isFinite(loss))
          throw diverged({
            epoch: position.epoch,
            step,
            found: loss,
            rate: rate(step),
            lastFinite: index > 0 ? losses[index - 1] : lastLoss(position),
          });
        position.lossSum += loss;
      }
      const took = Math.max(0.01, performance.now() - start);
      slice = Math.max(1, Math.min(slice * 4, Math.floor(((to - position.batch) * (hooks.sliceMs ?? 500)) / took)));
      position.batch = to;
      if (to < stepsPerEpoch) {
        if (took > 200) report(position.lossSum / to);
        if (performance.now() - lastSaved > (hooks.checkpointMs ?? 5000)) await save();
      }
    }
    const loss = position.lossSum / stepsPerEpoch;
    let validationLoss: number | undefined;
    if (judge) {
      const params = (await training.readState()).params;
      validationLoss = await judge.score(params);
      if (!Number.isFinite(validationLoss))
        throw diverged({
          epoch: position.epoch,
          step: position.epoch * stepsPerEpoch - 1,
          found: validationLoss,
          rate: rate(position.epoch * stepsPerEpoch - 1),
          lastFinite: position.curve.findLast((point) => point.validationLoss !== undefined)?.validationLoss,
        });
      if (position.bestLoss === undefined || validationLoss < position.bestLoss) {
        position.bestLoss = validationLoss;
        position.bestEpoch = position.epoch;
        best = params;
      }
    }
    position.curve.push({
      epoch: position.epoch,
      loss,
      ...(judge ? { validationLoss } : {}),
      learningRate: rate(position.epoch * stepsPerEpoch - 1),
    });
    position = { ...position, epoch: position.epoch + 1, batch: 0, lossSum: 0 };
    report(loss);
    if (performance.now() - lastSaved > (hooks.checkpointMs ?? 5000)) await save();
  }
  const state = await training.readState();
  return {
    params: withShapes(task.params, best ?? state.params),
    curve: position.curve,
    bestEpoch: judge ? position.bestEpoch : position.epoch - 1,
    loss: position.curve.at(-1)?.loss ?? NaN,
    ...(position.bestLoss !== undefined ? { validationLoss: position.bestLoss } : {}),
    steps: state.step,
  };
}

/** Writes the parameters that are scheduled for an epoch, where they differ from the epoch before. */
async function enterEpoch(training: EpochTraining, { scheduled }: TrainingTask, epoch: number): Promise<void> {
  if (!scheduled) return;
  const values = scheduled(epoch);
  const before = epoch > 1 ? scheduled(epoch - 1) : undefined;
  const same = Object.entries(values).every(([name, now]) => now.every((value, i) => before?.[name]?.[i] === value));
  if (same) return;
  const state = await training.readState();
  await training.writeState({ ...state, params: { ...state.params, ...values } });
}

/** Loss of the step before, as far as it is known: the mean of the epoch so far, or of the last epoch. */
const lastLoss = (position: Position): number | undefined =>
  position.batch > 0 ? position.lossSum / position.batch : position.curve.at(-1)?.loss;

interface Validator {
  score(params: Record<string, Float32Array>): Promise<number>;
  dispose(): void;
}

/** Scores weights on the validation rows: Σ loss / Σ weight, summed in double. */
async function validator(engine: Engine, task: TrainingTask, data: Record<string, DataArray>): Promise<Validator> {
  const forward: CompiledForward = await engine.compileForward({
    params: task.params,
    forward: (batch, params, context) => ({ ...task.rowLoss(batch, params, context) }),
    batchSize: task.validationBatch,
  });
  return {
    async score(params) {
      await forward.writeParams({ ...params, ...task.judged });
      const { loss, weight } = await forward.run(data);
      const total = sumOf(weight!.values);
      return total > 0 ? sumOf(loss!.values) / total : 0;
    },
    dispose: () => forward.dispose(),
  };
}

function sumOf(values: Float32Array | Int32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

const withShapes = (like: ParamArrays, values: Record<string, Float32Array>): ParamArrays =>
  Object.fromEntries(Object.entries(like).map(([name, { shape }]) => [name, { shape, values: values[name]! }]));

import type { HourglassError } from '@hourglass/core';
import { resolveEngine, type Engine } from '@hourglass/engine';
import { fitPca } from '@hourglass/metrics';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filling, learn, lessonOf, lowRank } from './support/learning.ts';
import { numbers, sourceOf } from './support/workbench.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await resolveEngine('cpu');
});

describe('a linear autoencoder', () => {
  it.each([1, 2, 3])('spans the subspace of the principal components (seed %i)', async (seed) => {
    const source = lowRank(120, 6, 2, seed);
    const lesson = await lessonOf(
      source,
      {
        architecture: 'linear',
        normalisation: 'standard',
        latentDim: 2,
        epochs: 500,
        batchSize: 120,
        learningRate: 0.05,
        schedule: 'cosine',
        weightDecay: 0,
        clipNorm: 100,
        validationFraction: 0,
      },
      undefined,
      seed,
    );
    const { trained } = await learn(engine, lesson);
    const components = fitPca({ rows: 120, cols: 6, data: Float64Array.from(lesson.split.train.x) }, 2).components;
    expect(largestAngle(trained.params['decoder/0/kernel']!.values, components, 2, 6)).toBeLessThan(1);
  });
});

/** Largest principal angle in degrees between the row spaces of two `[d, p]` matrices, d = 2. */
function largestAngle(a: ArrayLike<number>, b: ArrayLike<number>, d: number, p: number): number {
  const basis = (m: ArrayLike<number>): number[][] => {
    const rows: number[][] = [];
    for (let i = 0; i < d; i++) {
      let row = Array.from({ length: p }, (_, j) => m[i * p + j]!);
      for (const other of rows) {
        const dot = row.reduce((sum, value, j) => sum + value * other[j]!, 0);
        row = row.map((value, j) => value - dot * other[j]!);
      }
      const norm = Math.hypot(...row);
      rows.push(row.map((value) => value / norm));
    }
    return rows;
  };
  const [u, v] = [basis(a), basis(b)];
  // Cosines of the principal angles are the singular values of u·vᵀ, 2 × 2.
  const m = u.map((r) => v.map((s) => r.reduce((sum, value, j) => sum + value * s[j]!, 0)));
  const square = m.flat().reduce((sum, value) => sum + value * value, 0);
  const det = m[0]![0]! * m[1]![1]! - m[0]![1]! * m[1]![0]!;
  const smallest = Math.sqrt(Math.max(0, (square - Math.sqrt(Math.max(0, square ** 2 - 4 * det ** 2))) / 2));
  return (Math.acos(Math.min(1, smallest)) * 180) / Math.PI;
}

describe('training', () => {
  it('learns: the validation loss falls well below that of knowing only the marginals', async () => {
    const lesson = await lessonOf(lowRank(200, 6, 2), { epochs: 20, learningRate: 0.02, width: 16 });
    const { trained } = await learn(engine, lesson);
    expect(trained.curve[0]!.validationLoss).toBeGreaterThan(0.7);
    expect(trained.validationLoss).toBeLessThan(0.3);
  });

  it('gives the same weights for the same seed and others for another', async () => {
    const source = lowRank(60, 4, 2);
    const once = await learn(engine, await lessonOf(source, {}));
    const again = await learn(engine, await lessonOf(source, {}));
    const other = await learn(engine, await lessonOf(source, {}, undefined, 2));
    expect(again.trained).toEqual(once.trained);
    expect(other.trained.params).not.toEqual(once.trained.params);
  });

  it('gives the same weights whatever the slices', async () => {
    const source = lowRank(100, 4, 2);
    const short = await learn(engine, await lessonOf(source, {}, filling), { sliceMs: 0 });
    const long = await learn(engine, await lessonOf(source, {}, filling), { sliceMs: 10_000 });
    expect(short.trained).toEqual(long.trained);
  });

  it('continues bit for bit from any checkpoint, early stopping and best weights included', async () => {
    const lesson = await lessonOf(
      lowRank(100, 4, 2),
      { epochs: 6, patience: 2, learningRate: 0.2, dropout: 0.2 },
      filling,
    );
    const { trained, checkpoints } = await learn(engine, lesson, { sliceMs: 0, checkpointMs: 0 });
    expect(checkpoints.length).toBeGreaterThan(6);
    for (const resume of [checkpoints[0], checkpoints[4], checkpoints.at(-1)]) {
      const resumed = await learn(engine, lesson, { resume: structuredClone(resume), sliceMs: 10_000 });
      expect(resumed.trained).toEqual(trained);
    }
  });

  it('stops at an abort within one slice, with a checkpoint to continue from', async () => {
    const lesson = await lessonOf(lowRank(100, 4, 2), { epochs: 20 });
    const whole = await learn(engine, lesson);
    const stop = new AbortController();
    const saved: Parameters<NonNullable<Parameters<typeof learn>[2]>['save'] & object>[0][] = [];
    let aborted = 0;
    const attempt = learn(engine, lesson, {
      signal: stop.signal,
      save: async (checkpoint) => void saved.push(structuredClone(checkpoint)),
      progress: ({ epoch }) => {
        if (epoch === 3 && !stop.signal.aborted) {
          aborted = performance.now();
          stop.abort();
        }
      },
    });
    await expect(attempt).rejects.toMatchObject({
      code: 'CANCELLED',
      message: expect.stringContaining('epoch 4 of 20'),
    });
    expect(performance.now() - aborted).toBeLessThan(1000);
    const resumed = await learn(engine, lesson, { resume: saved.at(-1) });
    expect(resumed.trained).toEqual(whole.trained);
  });

  it('stops when validation no longer improves and keeps the best epoch', async () => {
    const lesson = await lessonOf(lowRank(120, 5, 3), {
      epochs: 200,
      patience: 4,
      learningRate: 0.3,
      schedule: 'constant',
    });
    const { trained } = await learn(engine, lesson);
    expect(trained.curve.at(-1)!.epoch).toBe(trained.bestEpoch + 4);
    const best = Math.min(...trained.curve.map((point) => point.validationLoss!));
    expect(trained.curve[trained.bestEpoch]!.validationLoss).toBe(best);
    expect(trained.validationLoss).toBe(best);
  });

  it('keeps the untrained network when training only harms it', async () => {
    const lesson = await lessonOf(lowRank(80, 5, 2), { skip: 'gaussian', learningRate: 1e-30, epochs: 3 }, filling);
    const { trained } = await learn(engine, lesson);
    expect(trained.bestEpoch).toBe(0);
  });

  it('says where, at which learning rate and why a loss stopped being a number', async () => {
    const lesson = await lessonOf(lowRank(60, 4, 2), {
      architecture: 'linear',
      learningRate: 10,
      weightDecay: 10,
      clipNorm: 1e30,
      epochs: 2000,
      schedule: 'constant',
      validationFraction: 0,
    });
    const error = await learn(engine, lesson).then(
      () => undefined,
      (thrown: HourglassError) => thrown,
    );
    expect(error).toMatchObject({ code: 'TRAINING_DIVERGED' });
    expect(error!.message).toMatch(
      /the loss became (NaN|Infinity) in epoch \d+ \(step \d+\); the last finite loss was \S+ at learning rate 10.*lower learningRate/,
    );
  });

  it('trains on a batch larger than the table, and on one row', async () => {
    const { trained } = await learn(engine, await lessonOf(lowRank(7, 3, 1), { batchSize: 512 }));
    expect(trained.steps).toBe(5);
    const single = await learn(engine, await lessonOf(sourceOf({ a: numbers([3]), b: numbers([4]) }), {}));
    expect(single.trained.loss).toBeLessThan(1);
  });

  it('reports epochs, losses and a shrinking estimate of the time left', async () => {
    const seen: { epoch: number; fraction: number }[] = [];
    await learn(engine, await lessonOf(lowRank(120, 4, 2), {}), { progress: (progress) => void seen.push(progress) });
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
    expect(seen.at(-1)).toMatchObject({
      fraction: 1,
      eta: 0,
      epochs: 5,
      loss: expect.any(Number),
      validationLoss: expect.any(Number),
    });
  });

  it('notes the learning rate at the end of each epoch, as its schedule goes', async () => {
    const rates = async (schedule: 'constant' | 'cosine' | 'one-cycle'): Promise<(number | undefined)[]> => {
      const options = { epochs: 10, learningRate: 0.01, batchSize: 16, schedule };
      const { trained } = await learn(engine, await lessonOf(lowRank(120, 4, 2), options));
      return trained.curve.map(({ learningRate }) => learningRate);
    };
    expect(await rates('constant')).toEqual([undefined, ...Array.from({ length: 10 }, () => 0.01)]);
    const [untrained, ...cosine] = await rates('cosine');
    expect(untrained).toBeUndefined();
    expect(cosine).toEqual([...cosine].sort((a, b) => b! - a!));
    expect(cosine.at(-1)).toBeCloseTo(0, 12);
    const cycle = (await rates('one-cycle')).slice(1);
    expect(cycle.indexOf(Math.max(...(cycle as number[])))).toBe(2);
  });

  it('leaks no tensors', async () => {
    const lesson = await lessonOf(lowRank(60, 4, 2), { epochs: 2 }, filling);
    await learn(engine, lesson);
    const before = tf.memory().numTensors;
    await learn(engine, lesson);
    expect(tf.memory().numTensors).toBe(before);
  });
});

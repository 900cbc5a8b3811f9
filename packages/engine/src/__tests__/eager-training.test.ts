import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';

import { permutation } from '../random/draw.ts';
import { resolveEngine } from '../resolve.ts';
import type { TrainingSpec } from '../types.ts';
import { mlpSpec, normalArray, tabularSpec } from './example-nets.ts';

const WIDTHS = [8, 16, 3, 16, 8];

/** y = x·w + b fitted by least squares on one batch: the gradient is known in closed form. */
function linearSpec(overrides: Partial<TrainingSpec> = {}): TrainingSpec {
  const x = normalArray([16, 3], 2);
  const y = normalArray([16, 1], 4);
  return {
    params: {
      weight: { shape: [3, 1], values: Float32Array.of(0.5, -0.25, 1) },
      bias: { shape: [1], values: Float32Array.of(0.125) },
      unused: { shape: [2], values: Float32Array.of(3, 4) },
    },
    data: { x, y },
    loss: (batch, p) =>
      tf.mean(tf.squaredDifference(tf.add(tf.matMul(batch.x!, p.weight!), p.bias!), batch.y!)) as tf.Scalar,
    batchSize: 16,
    optimizer: { kind: 'sgd' },
    schedule: { kind: 'constant', rate: 0.1 },
    seed: 1,
    ...overrides,
  };
}

/** Loss and gradient [dw, db, 0, 0] of linearSpec in double. */
function linearTruth(spec: TrainingSpec, params: number[]): { loss: number; gradient: number[] } {
  const [x, y] = [spec.data.x!.values, spec.data.y!.values];
  const gradient = [0, 0, 0, 0, 0, 0];
  let loss = 0;
  for (let i = 0; i < 16; i++) {
    const row = [x[3 * i]!, x[3 * i + 1]!, x[3 * i + 2]!, 1];
    const residual = row.reduce((sum, v, j) => sum + v * params[j]!, 0) - y[i]!;
    loss += residual ** 2 / 16;
    row.forEach((v, j) => (gradient[j]! += (2 * residual * v) / 16));
  }
  return { loss, gradient };
}

const order = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const flat = (params: Record<string, Float32Array>) => Object.values(params).flatMap((values) => [...values]);

describe.each(['cpu', 'wasm'] as const)('eager training on %s', (name) => {
  it('takes the SGD step of linear regression that calculus gives', async () => {
    const spec = linearSpec();
    const training = await (await resolveEngine(name)).compileTraining(spec);
    const start = [0.5, -0.25, 1, 0.125, 3, 4];
    const truth = linearTruth(spec, start);
    const [loss] = await training.runSlice(order(16), 0, 1);
    expect(loss).toBeCloseTo(truth.loss, 5);
    flat((await training.readState()).params).forEach((value, i) =>
      expect(value).toBeCloseTo(start[i]! - 0.1 * truth.gradient[i]!, 6),
    );
  });

  it('adds momentum and clips by the global norm', async () => {
    const clipNorm = 0.5;
    const spec = linearSpec({ optimizer: { kind: 'sgd', momentum: 0.9, clipNorm } });
    const training = await (await resolveEngine(name)).compileTraining(spec);
    const params = [0.5, -0.25, 1, 0.125, 3, 4];
    const m = params.map(() => 0);
    for (let step = 0; step < 3; step++) {
      const { gradient } = linearTruth(spec, params);
      const norm = Math.hypot(...gradient);
      expect(norm).toBeGreaterThan(clipNorm);
      gradient.forEach((g, i) => {
        m[i] = 0.9 * m[i]! + g * Math.min(1, clipNorm / (norm + 1e-6));
        params[i]! -= 0.1 * m[i]!;
      });
      await training.runSlice(order(16), 0, 1);
    }
    flat((await training.readState()).params).forEach((value, i) => expect(value).toBeCloseTo(params[i]!, 5));
  });

  it('takes AdamW steps with decoupled decay of matrices only', async () => {
    const weightDecay = 0.1;
    const spec = linearSpec({ optimizer: { kind: 'adamw', weightDecay }, schedule: { kind: 'constant', rate: 0.01 } });
    const training = await (await resolveEngine(name)).compileTraining(spec);
    const params = [0.5, -0.25, 1, 0.125, 3, 4];
    const m = params.map(() => 0);
    const v = params.map(() => 0);
    for (let step = 1; step <= 4; step++) {
      const { gradient } = linearTruth(spec, params);
      gradient.forEach((g, i) => {
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        const decayed = i < 3 ? params[i]! * (1 - 0.01 * weightDecay) : params[i]!;
        params[i] = decayed - (0.01 * (m[i]! / (1 - 0.9 ** step))) / (Math.sqrt(v[i]! / (1 - 0.999 ** step)) + 1e-8);
      });
      await training.runSlice(order(16), 0, 1);
    }
    flat((await training.readState()).params).forEach((value, i) => expect(value).toBeCloseTo(params[i]!, 5));
  });

  it('gives the same bytes in one slice, in many, and after a resume elsewhere', async () => {
    const engine = await resolveEngine(name);
    const spec = () => tabularSpec(100);
    const epochs = [permutation(100, 1, 0), permutation(100, 1, 1)];
    const whole = await engine.compileTraining(spec());
    const expected: number[] = [];
    for (const rows of epochs) expected.push(...(await whole.runSlice(rows, 0, 4)));
    const cut = await engine.compileTraining(spec());
    const losses = [...(await cut.runSlice(epochs[0]!, 0, 1)), ...(await cut.runSlice(epochs[0]!, 1, 3))];
    const resumed = await engine.compileTraining(spec());
    await resumed.writeState(await cut.readState());
    losses.push(...(await resumed.runSlice(epochs[0]!, 3, 4)), ...(await resumed.runSlice(epochs[1]!, 0, 4)));
    expect(losses).toEqual(expected);
    expect(await resumed.readState()).toEqual(await whole.readState());
  });

  it('trains the last, smaller batch', async () => {
    const spec = mlpSpec(WIDTHS, 33);
    const training = await (await resolveEngine(name)).compileTraining(spec);
    const losses = await training.runSlice(order(33), 0, 2);
    // The second batch is one row: its loss is that of a training that starts there with the parameters after one step.
    const alone = await (await resolveEngine(name)).compileTraining(spec);
    await alone.runSlice(order(32), 0, 1);
    expect((await alone.runSlice(Int32Array.of(32), 0, 1))[0]).toBe(losses[1]);
  });

  it('leaves frozen parameters as they are, in the state too', async () => {
    const engine = await resolveEngine(name);
    const spec = tabularSpec(64);
    const training = await engine.compileTraining({ ...spec, frozen: ['embedding', 'norm/scale'] });
    await training.runSlice(order(64), 0, 2);
    const { params, slots } = await training.readState();
    expect(params.embedding).toEqual(spec.params.embedding!.values);
    expect(params['up/weight']).not.toEqual(spec.params['up/weight']!.values);
    expect(Object.keys(slots)).not.toContain('m/embedding');
    await training.writeState({ params, slots, step: 2 });
    expect((await training.readState()).params).toEqual(params);
    await expect(engine.compileTraining({ ...spec, frozen: ['nothing'] })).rejects.toThrow(
      'Frozen parameter nothing is no parameter',
    );
  });

  it('leaks no tensor', async () => {
    const training = await (await resolveEngine(name)).compileTraining(tabularSpec(64));
    await training.runSlice(order(64), 0, 1);
    const before = tf.memory().numTensors;
    await training.runSlice(order(64), 0, 2);
    training.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('eager training', () => {
  it('is the same on wasm as on cpu within rounding, for dense, normalised, embedded and random layers', async () => {
    for (const spec of [mlpSpec(WIDTHS, 80), mlpSpec([70, 64, 9, 64, 70], 80), tabularSpec(80)]) {
      const runs: number[][] = [];
      for (const name of ['cpu', 'wasm'] as const) {
        const training = await (await resolveEngine(name)).compileTraining(spec);
        const losses: number[] = [];
        for (let epoch = 0; epoch < 3; epoch++) losses.push(...(await training.runSlice(order(80), 0, 3)));
        runs.push(losses);
      }
      runs[0]!.forEach((loss, i) => expect(Math.abs(runs[1]![i]! - loss) / loss).toBeLessThan(1e-5));
    }
  });

  it('goes on with other rows in the place of the data, refusing those of another kind', async () => {
    const engine = await resolveEngine('cpu');
    const moving = await engine.compileTraining(mlpSpec(WIDTHS, 40));
    await expect(moving.writeData({ x: normalArray([9, 7]) })).rejects.toThrow('Data x: expected float32 [rows, 8]');
    const other = mlpSpec(WIDTHS, 20, { data: { x: normalArray([20, 8], 9) } });
    await moving.writeData(other.data);
    const begun = await engine.compileTraining(other);
    expect(await moving.runSlice(order(20), 0, 1)).toEqual(await begun.runSlice(order(20), 0, 1));
    expect(await moving.readState()).toEqual(await begun.readState());
  });

  it('lets timers run while a slice trains', async () => {
    const training = await (await resolveEngine('wasm')).compileTraining(mlpSpec([64, 256, 256, 64], 4096));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await training.runSlice(order(4096), 0, 64);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it.each([
    ['rows outside the data', () => Int32Array.of(0, 99), 'row 99 at 1 lies outside 0 … 32'],
    ['batches outside the order', () => order(10), 'Batches 0 … 2: expected whole numbers within 0 … 1'],
  ])('refuses %s', async (_, rows, message) => {
    const training = await (await resolveEngine('cpu')).compileTraining(mlpSpec(WIDTHS, 33));
    const to = rows().length === 2 ? 1 : 2;
    await expect(training.runSlice(rows(), 0, to)).rejects.toThrow(message);
  });

  it('refuses arrays of different lengths, values that do not fill a shape, and the state of another net', async () => {
    const engine = await resolveEngine('cpu');
    const spec = mlpSpec(WIDTHS, 33);
    const ragged = { ...spec, data: { ...spec.data, w: normalArray([32, 8]) } };
    await expect(engine.compileTraining(ragged)).rejects.toThrow('Data w has 32 rows, the arrays before it 33');
    const short = { ...spec, params: { p: { shape: [3], values: new Float32Array(2) } } };
    await expect(engine.compileTraining(short)).rejects.toThrow('Parameter p: shape [3] needs 3 values, found 2');
    const other = await (await engine.compileTraining(mlpSpec([8, 4, 8], 33))).readState();
    await expect((await engine.compileTraining(spec)).writeState(other)).rejects.toThrow(
      'dense0/weight should hold 128 values, found 32. The state belongs to another net.',
    );
  });

  it('refuses a loss that is no scalar, and one that depends on no parameter', async () => {
    const engine = await resolveEngine('cpu');
    const spec = mlpSpec(WIDTHS, 33);
    const vector = await engine.compileTraining({
      ...spec,
      loss: (b, p) => tf.add(b.x!, p['dense0/bias']!.sum()) as tf.Scalar,
    });
    await expect(vector.runSlice(order(33), 0, 1)).rejects.toThrow('The loss must be a scalar, found shape [32, 8]');
    const constant = await engine.compileTraining({ ...spec, loss: (b) => tf.mean(b.x!) });
    await expect(constant.runSlice(order(33), 0, 1)).rejects.toThrow('The loss depends on no parameter');
  });
});

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

import { noUpdate } from '../buffer-updates.ts';
import { batchNorm } from '../layers/index.ts';
import { permutation } from '../random/draw.ts';
import { resolveEngine } from '../resolve.ts';
import type { EngineName, StepContext, TrainingSpec } from '../types.ts';
import { expectSame, loadEngines } from './compare-operation.ts';
import { denseParams, mlpSpec, normalArray } from './example-nets.ts';
import { compiledEngines } from './tested-engines.ts';

beforeAll(loadEngines);

const ENGINES = ['cpu' as const, ...compiledEngines()];
const context = (training: boolean): StepContext => ({ training, random: undefined as never, update: noUpdate });

describe('batch normalisation, compiled', () => {
  it.each([[[6, 3]], [[1, 4]], [[3, 2, 4, 5]]])('of %j has the value and gradients of plain tfjs', async (shape) => {
    const c = shape.at(-1)!;
    const spread = { shape: [c], from: 0.5, to: 2 };
    await expectSame({
      fn: (x, scale, shift, mean, variance) => batchNorm(x, { scale, shift, mean, variance }, context(false)),
      inputs: [shape, [c], [c], [c], spread],
    });
    await expectSame({
      fn: (x, scale, shift) =>
        batchNorm(x, { scale, shift, mean: tf.zeros([c]), variance: tf.ones([c]) }, context(true)),
      inputs: [shape, [c], [c]],
    });
  });

  it('has the gradients of its formula, op by op', () => {
    void tf.setBackend('cpu');
    const { values } = normalArray([5, 2, 3], 4);
    const [x, weights] = [tf.tensor(values, [5, 2, 3]), tf.tensor(normalArray([5, 2, 3], 5).values, [5, 2, 3])];
    const params = {
      scale: tf.tensor1d([1, 2, 3]),
      shift: tf.tensor1d([0, 1, 2]),
      mean: tf.zeros([3]),
      variance: tf.ones([3]),
    };
    const ours = tf.grad((one: tf.Tensor) => tf.sum(tf.mul(batchNorm(one, params, context(true)), weights)))(x);
    const plain = tf.grad((one: tf.Tensor) => {
      const { mean, variance } = tf.moments(one, [0, 1]);
      return tf.sum(
        tf.mul(
          tf.batchNorm(one as tf.Tensor3D, mean as never, variance as never, params.shift, params.scale, 1e-5),
          weights,
        ),
      );
    })(x);
    ours.dataSync().forEach((value, i) => expect(value).toBeCloseTo(plain.dataSync()[i]!, 5));
  });
});

const WIDTHS = [4, 6, 4];
const ones = (n: number) => ({ shape: [n], values: new Float32Array(n).fill(1) });
const zeros = (n: number) => ({ shape: [n], values: new Float32Array(n) });

/** An autoencoder whose hidden layer is normalised over the batch. */
function normedSpec(rows: number, overrides: Partial<TrainingSpec> = {}): TrainingSpec {
  return mlpSpec(WIDTHS, rows, {
    params: {
      ...denseParams(WIDTHS),
      'norm/scale': ones(6),
      'norm/shift': zeros(6),
      'norm/mean': zeros(6),
      'norm/variance': ones(6),
    },
    buffers: ['norm/mean', 'norm/variance'],
    loss: (batch, p, step) => {
      // No bias before the norm: its gradient would be rounding errors, which Adam makes as large as any other.
      const h = tf.matMul(batch.x!, p['dense0/weight']!);
      const [scale, shift] = [p['norm/scale']!, p['norm/shift']!];
      const normed = batchNorm(h, { scale, shift, mean: p['norm/mean']!, variance: p['norm/variance']! }, step);
      const y = tf.add(tf.matMul(tf.relu(normed), p['dense1/weight']!), p['dense1/bias']!);
      return tf.mean(tf.squaredDifference(y, batch.x!)) as tf.Scalar;
    },
    ...overrides,
  });
}

async function trained(name: EngineName, rows = 70, epochs = 3) {
  const training = await (await resolveEngine(name)).compileTraining(normedSpec(rows));
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++)
    losses.push(...(await training.runSlice(permutation(rows, 1, epoch), 0, Math.ceil(rows / 32))));
  const state = await training.readState();
  training.dispose();
  return { losses, state };
}

describe.each(ENGINES)('running statistics on %s', (name) => {
  it('after one step are what the batch says', async () => {
    const spec = normedSpec(9);
    const training = await (await resolveEngine(name)).compileTraining(spec);
    await training.runSlice(
      Int32Array.from({ length: 9 }, (_, i) => i),
      0,
      1,
    );
    const { params } = await training.readState();
    const [x, w] = [spec.data.x!.values, spec.params['dense0/weight']!.values];
    for (let j = 0; j < 6; j++) {
      const column = Array.from({ length: 9 }, (_, i) =>
        [0, 1, 2, 3].reduce((sum, k) => sum + x[4 * i + k]! * w[6 * k + j]!, 0),
      );
      const mean = column.reduce((sum, v) => sum + v, 0) / 9;
      const variance = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 8;
      expect(params['norm/mean']![j]).toBeCloseTo(0.1 * mean, 5);
      expect(params['norm/variance']![j]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
  });

  it('and losses over epochs, with a smaller last batch, are those of the reference engine', async () => {
    const [reference, found] = [await trained('cpu'), await trained(name)];
    found.losses.forEach((loss, i) => expect(Math.abs(loss / reference.losses[i]! - 1)).toBeLessThan(1e-5));
    for (const key of ['norm/mean', 'norm/variance'])
      found.state.params[key]!.forEach((v, i) => expect(v).toBeCloseTo(reference.state.params[key]![i]!, 4));
    expect(Object.keys(found.state.slots)).not.toContain('m/norm/mean');
  });

  it('come back with the state: a resumed training has the same bytes', async () => {
    const engine = await resolveEngine(name);
    const order = permutation(70, 1, 0);
    const first = await engine.compileTraining(normedSpec(70));
    await first.runSlice(order, 0, 2);
    const resumed = await engine.compileTraining(normedSpec(70));
    await resumed.writeState(await first.readState());
    expect(await resumed.runSlice(order, 2, 3)).toEqual(await first.runSlice(order, 2, 3));
    expect(await resumed.readState()).toEqual(await first.readState());
  });

  it('are updated once a step, or the step is refused', async () => {
    const engine = await resolveEngine(name);
    const message = async (overrides: Partial<TrainingSpec>): Promise<string> => {
      try {
        const training = await engine.compileTraining(normedSpec(8, overrides));
        await training.runSlice(permutation(8, 1, 0), 0, 1);
        return 'no error';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const plain = normedSpec(8).loss;
    expect(await message({ buffers: ['norm/mean'] })).toContain(
      'expected a parameter listed in the buffers of the training (norm/mean)',
    );
    expect(await message({ buffers: [] })).toContain('it has none');
    expect(await message({ buffers: ['norm/mean', 'norm/variance', 'norm/shift'] })).toContain(
      'Buffer norm/shift was given no value by the step',
    );
    expect(await message({ buffers: ['norm/men'] })).toContain('Buffer norm/men is no parameter');
    expect(await message({ frozen: ['norm/mean'] })).toContain('Parameter norm/mean is frozen and a buffer');
    const twice: TrainingSpec['loss'] = (b, p, step) => (
      step.update(p['norm/mean']!, p['norm/mean']!),
      plain(b, p, step)
    );
    expect(await message({ loss: twice })).toContain('buffer norm/mean was given a value in this step already');
    const narrow: TrainingSpec['loss'] = (b, p, step) => (
      step.update(p['norm/mean']!, tf.zeros([2])),
      plain(b, p, step)
    );
    expect(await message({ loss: narrow })).toContain('buffer norm/mean expects float32 [6], found float32 [2]');
  });

  it('normalise in the forward pass', async () => {
    const engine = await resolveEngine(name);
    const spec = normedSpec(8);
    const mean = Float32Array.from([1, 2, 3, 4, 5, 6]);
    const forward = await engine.compileForward({
      params: { ...spec.params, 'norm/mean': { shape: [6], values: mean } },
      forward: (batch, p, step) => {
        const [scale, shift] = [p['norm/scale']!, p['norm/shift']!];
        return { y: batchNorm(batch.x!, { scale, shift, mean: p['norm/mean']!, variance: p['norm/variance']! }, step) };
      },
    });
    const { y } = await forward.run({ x: { dtype: 'float32', shape: [2, 6], values: new Float32Array(12).fill(7) } });
    y!.values.forEach((v, i) => expect(v).toBeCloseTo((7 - mean[i % 6]!) / Math.sqrt(1 + 1e-5), 5));
    forward.dispose();
  });
});

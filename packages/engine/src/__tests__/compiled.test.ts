import * as tf from '@tensorflow/tfjs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { exportOnnx } from '../export-onnx.ts';
import { permutation } from '../random/draw.ts';
import { resolveEngine } from '../resolve.ts';
import type { EngineName, ForwardSpec, TrainingSpec, TrainingState } from '../types.ts';
import { mlpSpec, normalArray, tabularSpec } from './example-nets.ts';
import { compiledEngines } from './tested-engines.ts';

const ENGINES = compiledEngines();

const WIDTHS = [8, 16, 3, 16, 8];

async function losses(name: EngineName, spec: TrainingSpec, rows: number, epochs = 4): Promise<number[]> {
  const training = await (await resolveEngine(name)).compileTraining(spec);
  const all: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++)
    all.push(...(await training.runSlice(permutation(rows, 1, epoch), 0, Math.ceil(rows / spec.batchSize))));
  training.dispose();
  return all;
}

describe.each(ENGINES)('training on %s', (name) => {
  it.each([
    ['a dense net with AdamW, clipping and a schedule', () => mlpSpec(WIDTHS, 80)],
    ['embedding, dropout, LayerNorm, GELU, cross-entropy', () => tabularSpec(80)],
    ['frozen parameters', () => tabularSpec(80, { frozen: ['embedding', 'norm/scale'] })],
    ['Adam without clipping', () => mlpSpec(WIDTHS, 80, { optimizer: { kind: 'adam' } })],
    ['SGD', () => mlpSpec(WIDTHS, 80, { optimizer: { kind: 'sgd', clipNorm: 0.1 } })],
    ['SGD with momentum', () => mlpSpec(WIDTHS, 80, { optimizer: { kind: 'sgd', momentum: 0.9 } })],
    ['a batch larger than the data', () => mlpSpec(WIDTHS, 80, { batchSize: 500 })],
  ])('has the losses of the eager engine over epochs: %s', async (_, spec) => {
    const eager = await losses('cpu', spec(), 80);
    const compiled = await losses(name, spec(), 80);
    expect(compiled.length).toBe(eager.length);
    eager.forEach((loss, i) => expect(Math.abs(compiled[i]! - loss) / loss).toBeLessThan(1e-5));
    expect(eager.at(-1)).not.toBe(eager[0]);
  });

  it('gives the same bytes in one slice, in many, and after a resume elsewhere', async () => {
    const engine = await resolveEngine(name);
    const epochs = [permutation(100, 1, 0), permutation(100, 1, 1)];
    const whole = await engine.compileTraining(tabularSpec(100));
    const expected: number[] = [];
    for (const rows of epochs) expected.push(...(await whole.runSlice(rows, 0, 4)));
    const cut = await engine.compileTraining(tabularSpec(100));
    const found = [...(await cut.runSlice(epochs[0]!, 0, 1)), ...(await cut.runSlice(epochs[0]!, 1, 3))];
    const resumed = await engine.compileTraining(tabularSpec(100));
    await resumed.writeState(await cut.readState());
    found.push(...(await resumed.runSlice(epochs[0]!, 3, 4)), ...(await resumed.runSlice(epochs[1]!, 0, 4)));
    expect(found).toEqual(expected);
    expect(await resumed.readState()).toEqual(await whole.readState());
  });

  it('gives out state that later steps do not change', async () => {
    const training = await (await resolveEngine(name)).compileTraining(mlpSpec(WIDTHS, 64));
    await training.runSlice(permutation(64, 1, 0), 0, 2);
    const state = await training.readState();
    const copy = structuredClone(state);
    await training.runSlice(permutation(64, 1, 1), 0, 2);
    expect(state).toEqual(copy);
    expect((await training.readState()).params).not.toEqual(copy.params);
  });

  it('lets timers run while a slice trains', async () => {
    const training = await (await resolveEngine(name)).compileTraining(mlpSpec([64, 256, 256, 64], 8192));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    await training.runSlice(permutation(8192, 1, 0), 0, 256);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it('goes on with other rows in the place of the data as a training does that begins with them', async () => {
    const engine = await resolveEngine(name);
    const [first, second] = [tabularSpec(80), { ...tabularSpec(80), data: tabularSpec(70, {}, 21).data }];
    const reversed = Object.fromEntries(Object.entries(second.data).reverse());
    const order = [permutation(80, 1, 0), permutation(70, 1, 1)];
    const moving = await engine.compileTraining(first);
    const found = [...(await moving.runSlice(order[0]!, 0, 3))];
    await moving.writeData(reversed);
    found.push(...(await moving.runSlice(order[1]!, 0, 3)));
    await moving.writeData(first.data);
    found.push(...(await moving.runSlice(order[0]!, 0, 3)));

    const expected: number[] = [];
    let state: TrainingState | undefined;
    for (const [spec, rows] of [
      [first, 0],
      [second, 1],
      [first, 0],
    ] as const) {
      const training = await engine.compileTraining(spec);
      if (state) await training.writeState(state);
      expected.push(...(await training.runSlice(order[rows]!, 0, 3)));
      state = await training.readState();
      training.dispose();
    }
    expect(found).toEqual(expected);
    expect(await moving.readState()).toEqual(state);
  });

  it('refuses rows of another kind in the place of the data, and rows outside them', async () => {
    const training = await (await resolveEngine(name)).compileTraining(mlpSpec(WIDTHS, 80));
    await expect(training.writeData({ x: normalArray([10, 9]) })).rejects.toThrow(
      'Data x: expected float32 [rows, 8] as at the start of the training, found float32 [rows, 9]',
    );
    await expect(training.writeData({ y: normalArray([10, 8]) })).rejects.toThrow('Data x: expected float32');
    await training.writeData({ x: normalArray([10, 8]) });
    await expect(training.runSlice(permutation(80, 1, 0), 0, 3)).rejects.toThrow('outside 0 … 9');
  });

  it('refuses the state of another net, and a disposed training', async () => {
    const engine = await resolveEngine(name);
    const training = await engine.compileTraining(mlpSpec(WIDTHS, 33));
    const other = await (await engine.compileTraining(mlpSpec([8, 4, 8], 33))).readState();
    await expect(training.writeState(other)).rejects.toThrow('The state belongs to another net');
    training.dispose();
    await expect(training.runSlice(permutation(33, 1, 1), 0, 1)).rejects.toThrow('disposed');
  });
});

describe.each(ENGINES)('steps that cannot be compiled for %s', (name) => {
  const compile = async (loss: TrainingSpec['loss']) =>
    (await resolveEngine(name)).compileTraining({ ...mlpSpec(WIDTHS, 33), loss });
  void tf.setBackend('cpu');
  const outside = tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8]);

  it.each([
    ['reads a value back', (b, p) => tf.mul(tf.mean(p['dense0/weight']!), tf.mean(b.x!).dataSync()[0]!), 'read back'],
    ['draws with tf.random', (b, p) => tf.sum(tf.mul(p['dense0/bias']!, tf.randomNormal([16]))), 'tf.randomNormal'],
    ['draws with tf.dropout', (b, p) => tf.sum(tf.dropout(p['dense0/weight']!, 0.5)), 'context.random'],
    ['uses a tensor from outside', (b, p) => tf.sum(tf.add(p['dense3/bias']!, outside)), 'made outside the step'],
    ['uses an operation no graph has', (b, p) => tf.sum(tf.cumsum(p['dense0/bias']!)), 'operation Cumsum cannot'],
  ] as [string, TrainingSpec['loss'], string][])(
    'are refused with the line to change: a step that %s',
    async (_, loss, message) => {
      const error = await compile(loss).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'STEP_UNTRACEABLE' });
      expect((error as Error).message).toContain(message);
      expect((error as Error).message).toMatch(/compiled\.test\.ts:\d+:\d+: /);
    },
  );

  it('are refused when constants change from call to call', async () => {
    await expect(
      compile((_, p) => tf.sum(tf.mul(p['dense0/bias']!, tf.tensor1d(Array.from({ length: 16 }, Math.random))))),
    ).rejects.toThrow('values change from call to call');
  });

  it('leave tfjs usable, and no tensor behind', async () => {
    void tf.setBackend('cpu');
    const before = tf.memory().numTensors;
    await compile((b) => tf.mean(b.x!).dataSync() as never).catch(() => undefined);
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.tidy(() => tf.add(1, 2).dataSync()[0])).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
    expect(outside.dataSync()[7]).toBe(8);
  });
});

const forwardSpec = (overrides: Partial<ForwardSpec> = {}): ForwardSpec => ({
  params: { w: normalArray([3, 2], 8) },
  forward: (batch, p, { random }) => {
    const y = tf.matMul(batch.x!, p.w!);
    const rows = batch.x!.shape[0]!;
    return {
      y,
      noisy: tf.add(y, random.normal(y.shape)),
      scores: tf.softmax(y as tf.Tensor2D),
      pairs: tf.reshape(tf.concat([y, tf.ones([rows, 2])], 1), [rows, 2, 2]),
      code: tf.argMax(tf.oneHot(batch.code as tf.Tensor1D, 4), 1),
    };
  },
  ...overrides,
});
const inputs = (rows: number) => ({
  x: normalArray([rows, 3]),
  code: { dtype: 'int32' as const, shape: [rows], values: Int32Array.from({ length: rows }, (_, i) => i % 4) },
});

describe.each(ENGINES)('forward on %s', (name) => {
  it('gives what the eager engine gives, whatever the size of the batches', async () => {
    const expected = await (await (await resolveEngine('cpu')).compileForward(forwardSpec())).run(inputs(11));
    for (const batchSize of [1, 4, 11, 100]) {
      const forward = await (await resolveEngine(name)).compileForward(forwardSpec({ batchSize }));
      const found = await forward.run(inputs(11));
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      for (const [name, { shape, dtype, values }] of Object.entries(expected)) {
        expect(found[name]).toMatchObject({ shape, dtype });
        values.forEach((v, i) => expect(found[name]!.values[i]).toBeCloseTo(v, 5));
      }
      forward.dispose();
    }
  });

  it('takes new parameters, and no rows', async () => {
    const forward = await (await resolveEngine(name)).compileForward(forwardSpec());
    const before = await forward.run(inputs(3));
    await forward.writeParams({ w: new Float32Array(6) });
    expect((await forward.run(inputs(3))).y!.values).toEqual(new Float32Array(6));
    expect(before.y!.values).not.toEqual(new Float32Array(6));
    expect((await forward.run(inputs(0))).pairs).toEqual({
      dtype: 'float32',
      shape: [0, 2, 2],
      values: new Float32Array(0),
    });
  });
});

describe('exportOnnx', () => {
  it('writes a file that any onnxruntime runs on any number of rows, equal to the eager engine', async () => {
    const { params } = forwardSpec();
    const model = await exportOnnx('test');
    const x = model.input('x', 'float32', [3]);
    const { y, square } = model.pass(
      {
        params,
        forward: (batch, p) => ({ y: tf.relu(tf.matMul(batch.x!, p.w!)), square: tf.square(batch.x!) }),
      },
      { x: { rowShape: [3], dtype: 'float32', from: x } },
    );
    model.output('y', y!, 'float32', [2]);
    expect(model.output('x', square!, 'float32', [3])).toBe('x.out');
    const session = await InferenceSession.create(model.encode({ application: 'test' }));
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['y', 'x.out']);
    for (const rows of [1, 5]) {
      const { x } = inputs(rows);
      const out = await session.run({ x: new Tensor('float32', x.values, x.shape) });
      const expected = tf.tidy(() => {
        void tf.setBackend('cpu');
        return tf.relu(tf.matMul(tf.tensor2d(x.values, [rows, 3]), tf.tensor2d(params.w!.values, [3, 2]))).dataSync();
      });
      expect(out.y!.dims).toEqual([rows, 2]);
      expected.forEach((v, i) => expect((out.y!.data as Float32Array)[i]).toBeCloseTo(v, 5));
    }
  });

  it('joins two passes by nodes in between, on texts and doubles', async () => {
    const model = await exportOnnx('test');
    const name = model.input('name', 'string', [1]);
    const offset = model.input('offset', 'float64', [1]);
    const code = model.mlNode('LabelEncoder', [name], {
      keys_strings: { strings: ['a', 'b'] },
      values_int64s: [10, 20],
      default_int64: -1,
    });
    const sum = model.node('Add', [model.node('Cast', [code], { to: 11 }), offset]);
    const pass = (from: string, factor: number): string =>
      model.pass(
        { params: {}, forward: ({ v }) => ({ out: tf.mul(v!, factor) }) },
        { v: { rowShape: [1], dtype: 'float32', from } },
      ).out!;
    const doubled = pass(model.node('Cast', [sum], { to: 1 }), 2);
    model.output('result', pass(model.node('Neg', [doubled]), 3), 'float32', [1]);
    const session = await InferenceSession.create(model.encode());
    const { result } = await session.run({
      name: new Tensor('string', ['b', 'a', 'zebra'], [3, 1]),
      offset: new Tensor('float64', Float64Array.of(0.5, 1, 0), [3, 1]),
    });
    expect([...(result!.data as Float32Array)]).toEqual([-123, -66, 6]);
  });

  it('refuses a pass that draws random numbers', async () => {
    const model = await exportOnnx('test');
    const v = model.input('v', 'float32', [1]);
    expect(() =>
      model.pass(
        { params: {}, forward: (batch, _, { random }) => ({ out: tf.add(batch.v!, random.normal(batch.v!.shape)) }) },
        { v: { rowShape: [1], dtype: 'float32', from: v } },
      ),
    ).toThrow(/draws random numbers/);
  });
});

import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import { compiledTraining, type StepGraph } from '../compiled/training.ts';
import { copyModel } from '../onnx/copy-model.ts';
import { emitStep, stateTensors } from '../onnx/emit-step.ts';
import { stepModel } from '../onnx/step-model.ts';
import { trainingModel } from '../onnx/training-model.ts';
import { onnxWriter } from '../onnx/writer.ts';
import { openSession, type Feeds } from '../onnxruntime/session.ts';
import { REFERENCE_NETS } from '../reference-nets/index.ts';

const PROCESSOR = { engine: 'onnxruntime', threads: 1 } as const;

/** The step of a net as engines get it. */
async function graphOf(name: string): Promise<StepGraph> {
  let graph: StepGraph | undefined;
  const none = () => Promise.reject(new Error('not run'));
  const net = REFERENCE_NETS.find((one) => one.name === name)!;
  const training = await compiledTraining({ ...net.training(64), batchSize: 16 }, () => ({
    async compile(step) {
      graph = step;
      return { run: none, dispose: () => undefined };
    },
    read: none,
    write: none,
    writeData: none,
  }));
  training.dispose();
  return graph!;
}

const values = (shape: readonly number[], from: number): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.2 * Math.sin(1.7 * i + from) ** 2);

describe('a step for a GPU, run by the processor', () => {
  // Of many small parameters and embeddings, and of convolutions.
  it.each(['tabular', 'unet'])('is the step of the loop that the processor runs: %s', async (name) => {
    const graph = await graphOf(name);
    const states = stateTensors(graph);
    const fixed: Feeds = Object.fromEntries(
      states.map(({ name, shape }, i) => [name, new Tensor('float32', values(shape, i), shape)]),
    );
    for (const [name, { rowShape, dtype }] of Object.entries(graph.data)) {
      const shape = [20, ...rowShape];
      const numbers = values(shape, 3);
      fixed[`data/${name}`] =
        dtype === 'int32'
          ? new Tensor(
              'int32',
              Int32Array.from(numbers, (v) => Math.floor(v * 10)),
              shape,
            )
          : new Tensor('float32', numbers, shape);
    }
    const rows = Int32Array.from({ length: graph.rows }, (_, i) => (7 * i) % 20);
    const scalars = Float32Array.of(0.01, 1e-8, 1e-4);
    const draws = graph.draws.map(({ shape }, i) => [shape, values(shape, 9 + i)] as const);

    const loop = await openSession(trainingModel(graph), PROCESSOR);
    const inLoop = await loop.run(
      {
        ...fixed,
        steps: new Tensor('int64', BigInt64Array.of(1n), []),
        rows: new Tensor('int32', rows, [1, graph.rows]),
        scalars: new Tensor('float32', scalars, [1, 3]),
        ...Object.fromEntries(draws.map(([shape, v], i) => [`random/${i}`, new Tensor('float32', v, [1, ...shape])])),
      },
      'a test',
    );
    const step = await openSession(stepModel(graph), PROCESSOR);
    const alone = await step.run(
      {
        ...fixed,
        rows: new Tensor('int32', rows, [graph.rows]),
        scalars: new Tensor('float32', scalars, [3]),
        ...Object.fromEntries(draws.map(([shape, v], i) => [`random/${i}`, new Tensor('float32', v, shape)])),
      },
      'a test',
    );
    expect((alone.loss!.data as Float32Array)[0]).toBe((inLoop.losses!.data as Float32Array)[0]);
    for (const { name } of states) expect(alone[`${name}.out`]!.data).toEqual(inLoop[`${name}.out`]!.data);
    loop.dispose();
    step.dispose();
  });

  it('cuts vectors into no more pieces at a time than a kernel may write', async () => {
    const graph = await graphOf('tabular');
    const pieces = (mostOutputs?: number): number[] => {
      const w = onnxWriter();
      const random = (index: number) => `random/${index}`;
      emitStep(w, graph, { rows: 'rows', scalars: 'scalars', random, state: (name) => name, mostOutputs });
      const splits = w.graph('step', [], []).node.filter(({ opType }) => opType === 'Split');
      return splits.map(({ output }) => output.length);
    };
    expect(Math.max(...pieces())).toBeGreaterThan(7);
    expect(Math.max(...pieces(7))).toBeLessThanOrEqual(7);
    expect(Math.max(...pieces(3))).toBe(3);
  });
});

describe('copyModel', () => {
  it('gives tensors of both types and any rank as they are', async () => {
    const session = await openSession(
      copyModel([
        { name: 'a', dtype: 'float32', rank: 2 },
        { name: 'b', dtype: 'int32', rank: 1 },
      ]),
      PROCESSOR,
    );
    const out = await session.run(
      {
        a: new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
        b: new Tensor('int32', Int32Array.of(7, 8), [2]),
      },
      'a test',
    );
    expect(out['a.out']!.dims).toEqual([2, 3]);
    expect(Array.from(out['a.out']!.data as Float32Array)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Array.from(out['b.out']!.data as Int32Array)).toEqual([7, 8]);
    session.dispose();
  });
});

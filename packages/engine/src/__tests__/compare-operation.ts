import * as tf from '@tensorflow/tfjs';
import { Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';

import { valueAndGradients } from '../gradients/value-and-gradients.ts';
import { emitNodes as emitTensorflow } from '../graphdef/emit.ts';
import { encodeSavedModel } from '../graphdef/proto.ts';
import { graphWriter } from '../graphdef/writer.ts';
import type { Graph } from '../ir/graph.ts';
import { emitNodes as emitOnnx } from '../onnx/emit.ts';
import { encodeModel } from '../onnx/proto.ts';
import { onnxWriter, valueInfo } from '../onnx/writer.ts';
import { optimise } from '../passes/optimise.ts';
import { hostRandom } from '../random/host-random.ts';
import { resolveEngine } from '../resolve.ts';
import { openSession as openOnnx, type SessionTarget } from '../onnxruntime/session.ts';
import { openSession } from '../tensorflow/session.ts';
import { trace, tracedTensor, tracedValue } from '../tracer/backend.ts';
import { compiledEngines, type CompiledEngine } from './tested-engines.ts';

export type Fn = (...inputs: tf.Tensor[]) => tf.Tensor;
/** Shape of an input; a range keeps away from poles and kinks. */
export type Input = number[] | { shape: number[]; from: number; to: number };

export interface Case {
  fn: Fn;
  inputs: Input[];
  /** False where tfjs has no gradient, or the operation none. */
  gradients?: boolean;
}

interface Found {
  shape?: number[];
  values: number[];
}

interface Filled {
  shape: number[];
  values: Float32Array;
}

const ENGINES = compiledEngines();

export async function loadEngines(): Promise<void> {
  for (const name of ['cpu', ...ENGINES] as const) await resolveEngine(name);
}

function filled(input: Input, seed: number): Filled {
  const shape = Array.isArray(input) ? input : input.shape;
  const random = hostRandom(seed, 5);
  const length = shape.reduce((a, b) => a * b, 1);
  const draw = Array.isArray(input)
    ? () => random.normal()
    : () => input.from + (input.to - input.from) * random.uniform();
  return { shape, values: Float32Array.from({ length }, draw) };
}

/** Output and gradients of Σ output · (fixed weights): not all gradients are alike then. */
function outputs(fn: Fn, xs: tf.Tensor[], gradients: boolean): tf.Tensor[] {
  if (!gradients) return [fn(...xs)];
  let y!: tf.Tensor;
  const { grads } = valueAndGradients(() => {
    y = tf.keep(fn(...xs));
    const weights = tf.reshape(tf.add(tf.div(tf.range(0, Math.max(1, y.size)), Math.max(1, y.size)), 0.5), y.shape);
    return tf.sum(tf.mul(y, weights)) as tf.Scalar;
  }, xs);
  return [y, ...grads.map((g, i) => g ?? tf.zerosLike(xs[i]!))];
}

/** The operation and its gradients as a graph: inputs `0`, `1`, …, outputs `y0`, `y1`, …. */
export function graphOf(fn: Fn, shapes: number[][], gradients: boolean): Graph {
  const { result, build } = trace((b) => {
    const xs = shapes.map((shape, i) =>
      tracedTensor(b.add('Input', [], { kind: 'param', name: `${i}` }, shape, 'float32')),
    );
    return outputs(fn, xs, gradients).map((t) => tracedValue(t));
  });
  return optimise({ nodes: build.nodes, outputs: Object.fromEntries(result.map((v, i) => [`y${i}`, v])) });
}

const onOnnx =
  (target: SessionTarget, gpu: boolean) =>
  async (graph: Graph, inputs: Filled[]): Promise<Found[]> => {
    const w = onnxWriter('', { gpu });
    for (const node of graph.nodes) if (node.op === 'Input') w.bind(node.output, `x${node.attrs.name}`);
    emitOnnx(w, graph.nodes);
    const infos = Object.entries(graph.outputs).map(([name, v]) =>
      valueInfo(w.rename(w.nameOf(v), name), v.dtype, v.shape),
    );
    const declared = inputs.map(({ shape }, i) => valueInfo(`x${i}`, 'float32', shape));
    const session = await openOnnx(encodeModel(w.graph('operation', declared, infos)), target);
    const feeds = Object.fromEntries(inputs.map((x, i) => [`x${i}`, new Tensor('float32', x.values, x.shape)]));
    const out = await session.run(feeds, 'a test');
    session.dispose();
    return Object.keys(graph.outputs).map((name) => ({
      shape: [...out[name]!.dims],
      values: Array.from(out[name]!.data as Float32Array, Number),
    }));
  };

async function onTensorflow(graph: Graph, inputs: Filled[]): Promise<Found[]> {
  const w = graphWriter();
  inputs.forEach(({ shape }, i) => w.node('Placeholder', [], { dtype: 'float32', shape: { shape } }, `x${i}`));
  for (const node of graph.nodes) if (node.op === 'Input') w.bind(node.output, `x${node.attrs.name}`);
  emitTensorflow(w, graph.nodes);
  for (const [name, value] of Object.entries(graph.outputs))
    w.node('Identity', [w.nameOf(value)], { T: value.dtype }, name);
  const session = openSession(encodeSavedModel(w.nodes), 'a test');
  const feeds = Object.fromEntries(inputs.map((x, i) => [`x${i}`, { dtype: 'float32' as const, ...x }]));
  const results = session.run(feeds, Object.keys(graph.outputs));
  session.dispose();
  return results.map((values) => ({ values: Array.from(values, Number) }));
}

const PROCESSOR: SessionTarget = { engine: 'onnxruntime', threads: 1 };
/** Graphs for GPUs are written with other operations; the processor tells whether they are right where no GPU is. */
const RUNNERS: Record<CompiledEngine, ((graph: Graph, inputs: Filled[]) => Promise<Found[]>)[]> = {
  onnxruntime: [onOnnx(PROCESSOR, false), onOnnx(PROCESSOR, true)],
  webgpu: [onOnnx({ engine: 'webgpu', keep: [] }, true)],
  tensorflow: [onTensorflow],
};

const RUNS = ENGINES.flatMap((engine) => RUNNERS[engine].map((run) => [engine, run] as const));

/** WebGPU promises sine and cosine to 2⁻¹¹ only. */
const TOLERANCE: Partial<Record<CompiledEngine, number>> = { webgpu: 2 ** -11 };

/** Value and gradients on every compiling engine that is here, against plain tfjs. */
export async function expectSame({ fn, inputs, gradients = true }: Case): Promise<void> {
  const data = inputs.map((input, i) => filled(input, i + 1));
  void tf.setBackend('cpu');
  const expected = tf.tidy(() =>
    outputs(
      fn,
      data.map((x) => tf.tensor(x.values, x.shape)),
      gradients,
    ).map((t) => ({ shape: t.shape, values: Array.from(t.dataSync(), Number) })),
  );
  const graph = graphOf(
    fn,
    data.map(({ shape }) => shape),
    gradients,
  );
  for (const [engine, run] of RUNS) {
    const found = await run(graph, data);
    expect(found.length).toBe(expected.length);
    expected.forEach((e, k) => {
      if (found[k]!.shape) expect(found[k]!.shape).toEqual(e.shape);
      expect(found[k]!.values.length).toBe(e.values.length);
      e.values.forEach((v, i) => {
        const difference = Math.abs(found[k]!.values[i]! - v);
        if (!(difference <= (TOLERANCE[engine] ?? 2e-5) * Math.max(1, Math.abs(v))))
          expect.fail(`${k === 0 ? 'value' : `gradient ${k - 1}`}[${i}]: tfjs ${v}, ${engine} ${found[k]!.values[i]}`);
      });
    });
  }
}

/** That the gradient of a linear operation is its transpose: Σ y·w = Σ x·grad for every x. */
export async function expectAdjoint(fn: Fn, shape: number[], seed: number): Promise<void> {
  const x = filled(shape, seed);
  const graph = graphOf(fn, [shape], true);
  for (const [engine, run] of RUNS) {
    const [y, grad] = await run(graph, [x]);
    const weighted = y!.values.reduce((sum, v, i, all) => sum + v * (i / all.length + 0.5), 0);
    const along = x.values.reduce((sum, v, i) => sum + v * grad!.values[i]!, 0);
    expect(Math.abs(along - weighted), engine).toBeLessThan(1e-3);
  }
}

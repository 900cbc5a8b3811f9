import { HourglassError } from '@hourglass/core';
import type * as tf from '@tensorflow/tfjs';

import { bufferUpdates, noUpdate } from '../buffer-updates.ts';
import type { SplitParams } from '../flat-params.ts';
import { valueAndGradients } from '../gradients/value-and-gradients.ts';
import type { Builder } from '../ir/builder.ts';
import type { Graph, IrType, Node, Value } from '../ir/graph.ts';
import type { DataShape } from '../training-data.ts';
import type { ForwardFunction, LossFunction, ParamArrays, StepRandom } from '../types.ts';
import { cast } from './lower-elementwise.ts';
import { trace, tracedTensor, tracedValue } from './backend.ts';

/** One draw of random numbers that a graph takes as input `random/N`, in the order of the calls. */
export type RandomDraw =
  { kind: 'uniform' | 'normal'; shape: number[] } | { kind: 'bernoulli'; shape: number[]; p: number };

/** A traced function: inputs are named `data/…`, `param/…` and `random/N`. */
export interface TracedGraph extends Graph {
  draws: RandomDraw[];
}

interface TraceInputs {
  batch: Record<string, tf.Tensor>;
  params: Record<string, tf.Tensor>;
  random: StepRandom;
  draws: RandomDraw[];
}

function traceInputs(build: Builder, data: Record<string, DataShape>, params: ParamArrays, rows: number): TraceInputs {
  const input = (kind: 'data' | 'param' | 'random', name: string, shape: readonly number[], dtype: IrType) =>
    tracedTensor(build.add('Input', [], { kind, name }, shape, dtype));
  const draws: RandomDraw[] = [];
  const draw = (one: RandomDraw) => {
    draws.push(one);
    return input('random', `${draws.length - 1}`, [...one.shape], 'float32');
  };
  return {
    batch: Object.fromEntries(
      Object.entries(data).map(([name, { rowShape, dtype }]) => [
        name,
        input('data', name, [rows, ...rowShape], dtype),
      ]),
    ),
    params: Object.fromEntries(
      Object.entries(params).map(([name, { shape }]) => [name, input('param', name, shape, 'float32')]),
    ),
    draws,
    random: {
      uniform: (shape) => draw({ kind: 'uniform', shape: [...shape] }),
      normal: (shape) => draw({ kind: 'normal', shape: [...shape] }),
      bernoulli: (shape, p) => draw({ kind: 'bernoulli', shape: [...shape], p }),
    },
  };
}

/** Traces twice where constants were made, and refuses those that came out differently. */
function traceStable(once: (build: Builder) => { outputs: Record<string, Value>; draws: RandomDraw[] }): TracedGraph {
  const first = trace(once);
  if (first.madeConstants) {
    const second = trace(once);
    const constants = (nodes: readonly Node[]) => nodes.filter((node) => node.op === 'Constant');
    const again = constants(second.build.nodes);
    const changed = constants(first.build.nodes).some(
      (node, i) => !equalValues(node.attrs.values, (again[i] as typeof node | undefined)?.attrs.values),
    );
    if (changed || again.length !== constants(first.build.nodes).length)
      throw new HourglassError(
        'STEP_UNTRACEABLE',
        'The step makes tensors whose values change from call to call (Math.random, Date, a counter …): compiled, they ' +
          'would stay as they were the first time. Use context.random, or pass them as data.',
      );
  }
  return { nodes: first.build.nodes, ...first.result };
}

function equalValues(a: number | ArrayLike<number>, b: number | ArrayLike<number> | undefined): boolean {
  if (typeof a === 'number' || typeof b === 'number' || b === undefined) return Object.is(a, b);
  return a.length === b.length && Array.prototype.every.call(a, (v: number, i: number) => Object.is(v, b[i]));
}

/**
 * Loss and gradients of a training step on `rows` rows: outputs `loss` and `grad/NAME` for every parameter of `trained`
 * that the loss depends on, `next/NAME` for every buffer.
 *
 * @throws STEP_UNTRACEABLE with the line to change
 */
export function traceTraining(
  loss: LossFunction,
  data: Record<string, DataShape>,
  { trained, buffers, frozen }: SplitParams,
  rows: number,
): TracedGraph {
  return traceStable((build) => {
    const { batch, params, random, draws } = traceInputs(build, data, { ...trained, ...buffers, ...frozen }, rows);
    const names = Object.keys(trained);
    const { update, next } = bufferUpdates(
      Object.fromEntries(Object.keys(buffers).map((name) => [name, params[name]!])),
      tracedValue,
    );
    const { value, grads } = valueAndGradients(
      () => loss(batch, params, { random, training: true, update }),
      names.map((name) => params[name]!),
    );
    if (value.size !== 1)
      throw new HourglassError(
        'STEP_UNTRACEABLE',
        `The loss must be a scalar, found shape [${value.shape.join(', ')}]. Reduce it with tf.mean or tf.sum.`,
      );
    if (grads.every((grad) => !grad))
      throw new HourglassError('STEP_UNTRACEABLE', 'The loss depends on no parameter: it has no gradient.');
    const outputs: Record<string, Value> = { loss: cast(build, tracedValue(value), 'float32') };
    names.forEach((name, i) => {
      if (grads[i]) outputs[`grad/${name}`] = tracedValue(grads[i]);
    });
    for (const [name, after] of next()) outputs[`next/${name}`] = after;
    return { outputs, draws };
  });
}

/** A forward pass on `rows` rows, its outputs by name. @throws STEP_UNTRACEABLE with the line to change */
export function traceForward(
  forward: ForwardFunction,
  data: Record<string, DataShape>,
  params: ParamArrays,
  rows: number,
): TracedGraph {
  return traceStable((build) => {
    const inputs = traceInputs(build, data, params, rows);
    const outputs: Record<string, Value> = {};
    const result = forward(inputs.batch, inputs.params, { random: inputs.random, training: false, update: noUpdate });
    for (const [name, tensor] of Object.entries(result)) {
      const value = tracedValue(tensor);
      if (value.shape[0] !== rows)
        throw new HourglassError(
          'STEP_UNTRACEABLE',
          `Output ${name}: expected ${rows} rows, one for each row of the batch, found shape [${value.shape.join(', ')}].`,
        );
      outputs[name] = value.dtype === 'bool' ? cast(build, value, 'int32') : value;
    }
    return { outputs, draws: inputs.draws };
  });
}

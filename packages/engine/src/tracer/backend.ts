import { HourglassError } from '@hourglass/core';
import * as tf from '@tensorflow/tfjs';

import { graphBuilder, type Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { ELEMENTWISE_LOWERINGS, irType } from './lower-elementwise.ts';
import { IMAGE_LOWERINGS } from './lower-images.ts';
import { STRUCTURE_LOWERINGS } from './lower-structure.ts';
import { Untraceable, type Lowering } from './lowering.ts';
import { userLine } from './user-line.ts';

/** Name under which the tracing backend is registered with tfjs. */
const BACKEND = 'hourglass-trace';

const LOWERINGS: Record<string, Lowering> = {
  ...ELEMENTWISE_LOWERINGS,
  ...STRUCTURE_LOWERINGS,
  ...IMAGE_LOWERINGS,
};

/** Functions of tfjs that draw numbers on the host: traced, they would give the same numbers in every step. */
const FROZEN_RANDOM = /\b(random(?:Normal|Uniform|UniformInt|Gamma|StandardNormal)|truncatedNormal|dropout|rand)_?\b/;

interface Tracing {
  build: Builder;
  values: WeakMap<object, Value>;
  /** Whether a constant that is not one number repeated was made: it may have been drawn on the host. */
  madeConstants: boolean;
}

let tracing: Tracing | undefined;

function refuse(what: string, remedy: string): HourglassError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const line = userLine(new Error().stack);
  Error.stackTraceLimit = limit;
  return new HourglassError('STEP_UNTRACEABLE', `${line ? `${line}: ` : ''}${what} ${remedy}`, {
    details: { ...(line ? { line } : {}) },
  });
}

const READ_REMEDY =
  'A compiled step cannot depend on values: keep to tensor operations (tf.where, masks), or train with engine wasm or cpu.';

/** Stores no numbers: a tensor is a value of the graph under construction. */
class TracingBackend extends tf.KernelBackend {
  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const { build } = current();
    const type = irType(dtype);
    const typed = values as Float32Array;
    const first = typed[0] ?? 0;
    let uniform = true;
    for (let i = 1; i < typed.length && uniform; i++) uniform = Object.is(typed[i], first);
    if (!uniform) {
      const limit = Error.stackTraceLimit;
      Error.stackTraceLimit = 100;
      const [, culprit] = (new Error().stack ?? '').match(FROZEN_RANDOM) ?? [];
      Error.stackTraceLimit = limit;
      if (culprit)
        throw refuse(
          `tf.${culprit} draws its numbers once, while the step is compiled: every step would see the same ones.`,
          'Use context.random (uniform, normal, bernoulli) instead.',
        );
      current().madeConstants = true;
    }
    const copy =
      type === 'float32'
        ? Float32Array.from(typed)
        : type === 'int32'
          ? Int32Array.from(typed)
          : Uint8Array.from(typed);
    return handle(build.add('Constant', [], { values: uniform ? Number(first) : copy }, [...shape], type));
  }

  override readSync(): never {
    throw refuse('The value of a tensor is read back inside the step.', READ_REMEDY);
  }

  override read(): never {
    throw refuse('The value of a tensor is read back inside the step.', READ_REMEDY);
  }

  // A tensor of another backend met by accident would lose its values there: it is refused before this is reached.
  override move(): never {
    throw refuse('A tensor made outside the step is used in it.', OUTSIDE_REMEDY);
  }

  override disposeData = () => true;
  override refCount = () => 1;
  override incRef = () => undefined;
  override numDataIds = () => 0;
  override memory = () => ({ unreliable: true });
  override floatPrecision = () => 32 as const;
  override epsilon = () => 1e-7;
  override timerAvailable = () => false;
}

const OUTSIDE_REMEDY = 'Pass it to the step as a parameter (frozen, if it is not to be trained) or as data.';

function current(): Tracing {
  if (!tracing) throw new HourglassError('INTERNAL', 'The tracing backend was used outside a trace.');
  return tracing;
}

/** A tensor handle for a value; each tensor has its own, for tfjs counts references by it. */
function handle(value: Value): object {
  const dataId = {};
  current().values.set(dataId, value);
  return dataId;
}

const info = (value: Value): tf.TensorInfo => ({
  dataId: handle(value),
  shape: [...value.shape],
  dtype: value.dtype,
});

function valueOf(tensor: tf.TensorInfo): Value {
  const value = current().values.get(tensor.dataId);
  if (!value) throw refuse('A tensor made outside the step is used in it.', OUTSIDE_REMEDY);
  return value;
}

/** The graph value behind a tensor of the present trace. */
export const tracedValue = (tensor: tf.Tensor): Value => valueOf(tensor);

/** A tensor that stands for a graph value in the present trace. */
export const tracedTensor = (value: Value): tf.Tensor =>
  tf.engine().makeTensorFromTensorInfo(info(value), tf.findBackend(BACKEND) as TracingBackend);

function registerKernels(): void {
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    const lower = LOWERINGS[kernelName];
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        if (!lower) throw refuse(`The operation ${kernelName} cannot be compiled.`, 'Engine cpu has it.');
        const values: Record<string, Value> = {};
        for (const [name, tensor] of Object.entries(inputs)) if (tensor) values[name] = valueOf(tensor);
        try {
          const out = lower({ build: current().build, inputs: values, attrs: attrs ?? {} });
          return Array.isArray(out) ? out.map(info) : info(out);
        } catch (error) {
          if (!(error instanceof Untraceable)) throw error;
          throw refuse(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`, '');
        }
      },
    });
  }
}

let registered = false;

/**
 * Runs tfjs code with the tracing backend in place. @returns what `fn` returns, the graph's builder, and whether
 * constants were made whose values might differ the next time
 */
export function trace<T>(fn: (build: Builder) => T): { result: T; build: Builder; madeConstants: boolean } {
  if (tracing) throw new HourglassError('INTERNAL', 'A trace is under way already.');
  if (!registered) {
    tf.registerBackend(BACKEND, () => new TracingBackend(), 0);
    registerKernels();
    registered = true;
  }
  const before = tf.getBackend();
  tracing = { build: graphBuilder(), values: new WeakMap(), madeConstants: false };
  try {
    void tf.setBackend(BACKEND);
    const { build } = tracing;
    let result!: T;
    tf.tidy(() => {
      result = fn(build);
    });
    return { result, build, madeConstants: tracing.madeConstants };
  } finally {
    tracing = undefined;
    if (before) void tf.setBackend(before);
  }
}

import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';

import { checkTraining } from '../check-training.ts';
import { flatten, paramLayout, paramValues, sizeOf, splitParams, unflatten, type ParamLayout } from '../flat-params.ts';
import type { Graph } from '../ir/graph.ts';
import { momentNames, optimizerSettings, stepScalars, type OptimizerSettings } from '../optimizer.ts';
import { optimise } from '../passes/optimise.ts';
import { scheduleRate } from '../schedule.ts';
import { traceTraining, type RandomDraw } from '../tracer/trace-step.ts';
import { checkSlice, dataShapes, sameKind, type DataShape } from '../training-data.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { drawSteps } from './draw-steps.ts';

/** Aimed length of one native call, ms: it blocks the event loop. */
const CALL_MS = 150;
/** Most bytes of random numbers drawn ahead for one call. */
const DRAW_BYTES = 32 * 2 ** 20;

/** A training step as a graph, and what an emitter needs around it. */
export interface StepGraph {
  /** Outputs `loss` and `grad/NAME`. */
  graph: Graph;
  draws: readonly RandomDraw[];
  data: Record<string, DataShape>;
  layout: ParamLayout;
  /** Parameters that the step replaces: outputs `next/NAME` of the graph. */
  buffers: ParamLayout;
  /** Parameters that stay. */
  frozen: ParamLayout;
  optimizer: OptimizerSettings;
  /** Rows of a batch. */
  rows: number;
}

/** Several steps, to be taken in one native call. */
export interface StepCall {
  steps: number;
  /** Rows of the data, `[steps, batch]`. */
  rows: Int32Array;
  /** `[steps, 3]`: rate √(1 − β₂ᵗ) / (1 − β₁ᵗ), ε √(1 − β₂ᵗ), rate · weight decay. */
  scalars: Float32Array;
  /** Numbers of each draw, `[steps, …]`. */
  random: Float32Array[];
}

/** A step compiled for batches of one size. */
export interface StepRunner {
  /** @returns loss of each step */
  run(call: StepCall): Promise<Float32Array>;
  dispose(): void;
}

/** Vectors of the state that a step changes: of trained parameters, their moments, and buffers. */
export type StateVector = 'params' | 'm' | 'v' | 'buffers';

/** The vectors a training has, each with its layout, in order. */
export function stateVectors({
  layout,
  buffers,
  optimizer,
}: Pick<StepGraph, 'layout' | 'buffers' | 'optimizer'>): [StateVector, ParamLayout][] {
  const trained = (['params', ...momentNames(optimizer)] as const).map((vector): [StateVector, ParamLayout] => [
    vector,
    layout,
  ]);
  return buffers.size > 0 ? [...trained, ['buffers', buffers]] : trained;
}

/** Flat vectors of a training by name, and its frozen parameters. */
export interface FlatTraining {
  state: Record<string, Float32Array>;
  frozen: Float32Array;
}

/** What a compiling engine adds: it runs steps and keeps the state between them. */
export interface StepEngine {
  compile(step: StepGraph): Promise<StepRunner>;
  /** Copies of the flat vectors. */
  read(): Promise<Record<string, Float32Array>>;
  write(next: FlatTraining): Promise<void>;
  /** Other rows, of the same kind, in place of those before. */
  writeData(data: Record<string, DataArray>): Promise<void>;
  /** Frees what its runners share, before they are disposed. */
  dispose?(): void;
}

/** What a runtime must know of the parameters before a step is traced. */
export type Layouts = Pick<StepGraph, 'layout' | 'buffers' | 'frozen' | 'optimizer'>;

interface Compiled {
  runner: StepRunner;
  draws: readonly RandomDraw[];
  /** Steps of the next call, from the time the last one took. */
  stepsPerCall: number;
}

/**
 * A training traced once for each size of batch and run natively, many steps a call: as many as take a moment, so that
 * progress and cancellation work. How steps are cut into calls does not change results.
 */
export async function compiledTraining(
  // The rows are taken out of the rest: others may take their place, and nothing may hold on to the first ones then.
  { data: firstRows, ...spec }: TrainingSpec,
  begin: (start: FlatTraining, layouts: Layouts, data: Record<string, DataArray>) => StepEngine,
): Promise<CompiledTraining> {
  const settings = optimizerSettings(spec.optimizer);
  const split = splitParams(spec);
  const layouts: Layouts = {
    layout: paramLayout(split.trained, spec.optimizer),
    buffers: paramLayout(split.buffers),
    frozen: paramLayout(split.frozen),
    optimizer: settings,
  };
  const { layout } = layouts;
  const vectors = stateVectors(layouts);
  let n = checkTraining({ ...spec, data: firstRows });
  const data = dataShapes(firstRows);
  const moments = momentNames(settings);
  const stateOf = (params: Record<string, Float32Array>, slots?: Record<string, Float32Array>) =>
    Object.fromEntries(
      vectors.map(([vector, where]) => {
        if (vector === 'params' || vector === 'buffers') return [vector, flatten(where, params)];
        return [vector, slots ? flatten(where, slots, `${vector}/`) : new Float32Array(where.size)];
      }),
    );
  let frozenValues = flatten(layouts.frozen, paramValues(split.frozen));
  const engine = begin({ state: stateOf(paramValues(spec.params)), frozen: frozenValues }, layouts, firstRows);
  const compiled = new Map<number, Promise<Compiled>>();
  let step = 0;
  let disposed = false;

  const compile = async (rows: number): Promise<Compiled> => {
    const { draws, ...traced } = traceTraining(spec.loss, data, split, rows);
    const graph = optimise(traced);
    const runner = await engine.compile({ graph, draws, data, rows, ...layouts });
    return { runner, draws, stepsPerCall: 1 };
  };
  const compiledFor = (rows: number): Promise<Compiled> => {
    let one = compiled.get(rows);
    if (!one) compiled.set(rows, (one = compile(rows)));
    return one;
  };
  // Steps that cannot be compiled are refused here, not in the middle of an epoch.
  await compiledFor(Math.min(spec.batchSize, n));

  const call = async ({ runner, draws }: Compiled, rows: Int32Array, steps: number): Promise<Float32Array> => {
    const scalars = new Float32Array(steps * 3);
    for (let i = 0; i < steps; i++) {
      const rate = scheduleRate(spec.schedule, step + i);
      const { stepSize, rootCorrection } = stepScalars(settings, rate, step + i);
      scalars.set([stepSize / rootCorrection, settings.epsilon / rootCorrection, rate * settings.weightDecay], 3 * i);
    }
    const random = draws.map((draw, i) => drawSteps(draw, spec.seed, step, steps, i));
    const losses = await runner.run({ steps, rows, scalars, random });
    step += steps;
    return losses;
  };

  const alive = () => {
    if (disposed) throw new HourglassError('INTERNAL', 'This training was disposed.');
  };

  return {
    async runSlice(order, from, to) {
      alive();
      checkSlice(order, n, spec.batchSize, from, to);
      const losses = new Float32Array(to - from);
      const whole = Math.floor(order.length / spec.batchSize);
      for (let batch = from; batch < to;) {
        const rows = batch < whole ? spec.batchSize : order.length - whole * spec.batchSize;
        const one = await compiledFor(rows);
        const steps = batch < whole ? Math.min(one.stepsPerCall, Math.min(to, whole) - batch) : 1;
        const at = batch * spec.batchSize;
        const started = performance.now();
        losses.set(await call(one, order.subarray(at, at + steps * rows), steps), batch - from);
        const each = (performance.now() - started) / steps;
        const drawn = one.draws.reduce((bytes, draw) => bytes + 4 * sizeOf(draw.shape), 0);
        const most = drawn === 0 ? Infinity : Math.max(1, Math.floor(DRAW_BYTES / drawn));
        one.stepsPerCall = Math.max(1, Math.min(most, one.stepsPerCall * 4, Math.floor(CALL_MS / each)));
        batch += steps;
        await setImmediate();
        alive();
      }
      return losses;
    },
    async readState() {
      alive();
      const state = await engine.read();
      const slots: Record<string, Float32Array> = {};
      for (const moment of moments) Object.assign(slots, unflatten(layout, state[moment]!, `${moment}/`));
      const params = {
        ...unflatten(layout, state.params!),
        ...(state.buffers ? unflatten(layouts.buffers, state.buffers) : {}),
        ...unflatten(layouts.frozen, frozenValues),
      };
      return { params, slots, step };
    },
    async writeState(next) {
      alive();
      const fixed = flatten(layouts.frozen, next.params);
      await engine.write({ state: stateOf(next.params, next.slots), frozen: fixed });
      frozenValues = fixed;
      step = next.step;
    },
    async writeData(next) {
      alive();
      n = sameKind(next, data);
      // In the order of the first ones: that is how graphs number them.
      await engine.writeData(Object.fromEntries(Object.keys(data).map((name) => [name, next[name]!])));
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      engine.dispose?.();
      for (const one of compiled.values())
        one.then(
          ({ runner }) => runner.dispose(),
          () => undefined,
        );
    },
  };
}

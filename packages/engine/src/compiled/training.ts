import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';

import { checkTraining } from '../check-training.ts';
import { flatten, paramLayout, paramValues, sizeOf, splitFrozen, unflatten, type ParamLayout } from '../flat-params.ts';
import type { Graph } from '../ir/graph.ts';
import { momentNames, optimizerSettings, stepScalars, type OptimizerSettings } from '../optimizer.ts';
import { optimise } from '../passes/optimise.ts';
import { scheduleRate } from '../schedule.ts';
import { dataShapes, traceTraining, type DataShape, type RandomDraw } from '../tracer/trace-step.ts';
import { checkSlice, sameKind } from '../training-data.ts';
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
  /** Parameters that are not trained. */
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

/** Flat vectors of a training: trained parameters and moments by name, frozen parameters. */
export interface FlatTraining {
  /** `params`, and `m`, `v` where the optimizer keeps them. */
  state: Record<string, Float32Array>;
  frozen: Float32Array;
}

/** What a compiling engine adds: it runs steps and keeps the state between them. */
export interface StepEngine {
  compile(step: StepGraph): Promise<StepRunner>;
  /** Copies of the flat vectors. */
  read(): Promise<Record<string, Float32Array>>;
  write(next: FlatTraining): Promise<void>;
  /** Other rows, of the same kind, in place of `spec.data`. */
  writeData(data: Record<string, DataArray>): Promise<void>;
}

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
  spec: TrainingSpec,
  begin: (start: FlatTraining, layouts: { layout: ParamLayout; frozen: ParamLayout }) => StepEngine,
): Promise<CompiledTraining> {
  const settings = optimizerSettings(spec.optimizer);
  const { trained, frozen } = splitFrozen(spec.params, spec.frozen);
  const layout = paramLayout(trained, spec.optimizer);
  const frozenLayout = paramLayout(frozen);
  let n = checkTraining(spec);
  const data = dataShapes(spec.data);
  const moments = momentNames(settings);
  let frozenValues = flatten(frozenLayout, paramValues(frozen));
  const start: Record<string, Float32Array> = { params: flatten(layout, paramValues(trained)) };
  for (const moment of moments) start[moment] = new Float32Array(layout.size);
  const engine = begin({ state: start, frozen: frozenValues }, { layout, frozen: frozenLayout });
  const compiled = new Map<number, Promise<Compiled>>();
  let step = 0;
  let disposed = false;

  const compile = async (rows: number): Promise<Compiled> => {
    const { draws, ...traced } = traceTraining(spec.loss, data, trained, frozen, rows);
    const graph = optimise(traced);
    const runner = await engine.compile({
      graph,
      draws,
      data,
      layout,
      frozen: frozenLayout,
      optimizer: settings,
      rows,
    });
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
      const params = { ...unflatten(layout, state.params!), ...unflatten(frozenLayout, frozenValues) };
      return { params, slots, step };
    },
    async writeState(next) {
      alive();
      const state: Record<string, Float32Array> = { params: flatten(layout, next.params) };
      for (const moment of moments) state[moment] = flatten(layout, next.slots, `${moment}/`);
      const fixed = flatten(frozenLayout, next.params);
      await engine.write({ state, frozen: fixed });
      frozenValues = fixed;
      step = next.step;
    },
    async writeData(next) {
      alive();
      n = sameKind(next, spec.data);
      await engine.writeData(next);
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const one of compiled.values())
        one.then(
          ({ runner }) => runner.dispose(),
          () => undefined,
        );
    },
  };
}

import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';
import { Tensor, type InferenceSession } from 'onnxruntime-node';

import { flatten, paramLayout, paramValues, sizeOf, splitFrozen, unflatten } from '../flat-params.ts';
import { trainingModel } from '../onnx/training-model.ts';
import { momentNames, optimizerSettings, stepScalars } from '../optimizer.ts';
import { fuse } from '../passes/fuse.ts';
import { simplify } from '../passes/simplify.ts';
import { drawBernoulli, drawNormal, drawUniform } from '../random/draw.ts';
import { scheduleRate } from '../schedule.ts';
import { dataShapes, traceTraining, type RandomDraw } from '../tracer/trace-step.ts';
import { checkSlice, rowCount } from '../training-data.ts';
import type { CompiledTraining, TrainingSpec } from '../types.ts';
import { openSession, runSession, type Feeds } from './session.ts';

/** Aimed length of one native call, ms: it blocks the event loop. */
const CALL_MS = 150;
/** Most bytes of random numbers drawn ahead for one call. */
const DRAW_BYTES = 32 * 2 ** 20;

/** A step compiled for batches of one size. */
interface CompiledStep {
  session: InferenceSession;
  draws: RandomDraw[];
  /** Steps of the next call, from the time the last one took. */
  stepsPerCall: number;
}

/** A training traced once and run by onnxruntime, many steps a call. */
export async function onnxTraining(spec: TrainingSpec): Promise<CompiledTraining> {
  const settings = optimizerSettings(spec.optimizer);
  const { trained, frozen } = splitFrozen(spec.params, spec.frozen);
  const layout = paramLayout(trained, spec.optimizer);
  const frozenLayout = paramLayout(frozen);
  const n = rowCount(spec.data);
  const data = dataShapes(spec.data);
  const moments = momentNames(settings);
  let frozenValues = flatten(frozenLayout, paramValues(frozen));
  const state: Record<string, Float32Array> = { params: flatten(layout, paramValues(trained)) };
  for (const moment of moments) state[moment] = new Float32Array(layout.size);
  let step = 0;
  let disposed = false;
  const compiled = new Map<number, Promise<CompiledStep>>();

  const compile = async (rows: number): Promise<CompiledStep> => {
    const traced = traceTraining(spec.loss, data, trained, frozen, rows);
    const graph = fuse(simplify(traced));
    const model = trainingModel({
      graph,
      draws: traced.draws,
      data,
      frozen: frozenLayout,
      layout,
      optimizer: settings,
      rows,
    });
    return { session: await openSession(model), draws: traced.draws, stepsPerCall: 1 };
  };
  const compiledFor = (rows: number): Promise<CompiledStep> => {
    let one = compiled.get(rows);
    if (!one) compiled.set(rows, (one = compile(rows)));
    return one;
  };
  // Steps that cannot be compiled are refused here, not in the middle of an epoch.
  await compiledFor(Math.min(spec.batchSize, Math.max(1, n)));

  const call = async (one: CompiledStep, rows: Int32Array, steps: number): Promise<Float32Array> => {
    const batch = rows.length / steps;
    const scalars = new Float32Array(steps * 3);
    for (let i = 0; i < steps; i++) {
      const rate = scheduleRate(spec.schedule, step + i);
      const { stepSize, rootCorrection } = stepScalars(settings, rate, step + i);
      scalars.set([stepSize / rootCorrection, settings.epsilon / rootCorrection, rate * settings.weightDecay], 3 * i);
    }
    const feeds: Feeds = {
      steps: new Tensor('int64', BigInt64Array.of(BigInt(steps)), []),
      rows: new Tensor('int32', rows, [steps, batch]),
      scalars: new Tensor('float32', scalars, [steps, 3]),
    };
    for (const [name, values] of Object.entries(state)) feeds[name] = new Tensor('float32', values, [layout.size]);
    for (const [name, a] of Object.entries(spec.data))
      feeds[`data/${name}`] = new Tensor(a.dtype, a.values as never, a.shape);
    for (const { name, shape, start, end } of frozenLayout.slices)
      feeds[`frozen/${name}`] = new Tensor('float32', frozenValues.subarray(start, end), shape);
    one.draws.forEach((draw, i) => {
      feeds[`random/${i}`] = new Tensor('float32', drawSteps(draw, spec.seed, step, steps, i), [steps, ...draw.shape]);
    });
    const results = await runSession(one.session, feeds);
    for (const name of Object.keys(state)) state[name] = results[`${name}.out`]!.data as Float32Array;
    step += steps;
    return results.losses!.data as Float32Array;
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
      const slots: Record<string, Float32Array> = {};
      for (const moment of moments) Object.assign(slots, unflatten(layout, state[moment]!, `${moment}/`));
      const params = { ...unflatten(layout, state.params!), ...unflatten(frozenLayout, frozenValues) };
      return { params, slots, step };
    },
    async writeState(next) {
      alive();
      const params = flatten(layout, next.params);
      const slots = moments.map((moment) => flatten(layout, next.slots, `${moment}/`));
      frozenValues = flatten(frozenLayout, next.params);
      state.params = params;
      moments.forEach((moment, i) => (state[moment] = slots[i]!));
      step = next.step;
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const one of compiled.values()) void one.then(({ session }) => session.release());
    },
  };
}

/** The numbers of one draw for several steps, `[steps, …]`. */
function drawSteps(draw: RandomDraw, seed: number, step: number, steps: number, index: number): Float32Array {
  const count = sizeOf(draw.shape);
  const out = new Float32Array(steps * count);
  for (let i = 0; i < steps; i++) {
    const address = { seed, domain: 'train', step: step + i, call: index } as const;
    const numbers =
      draw.kind === 'bernoulli'
        ? drawBernoulli(address, count, draw.p)
        : draw.kind === 'normal'
          ? drawNormal(address, count)
          : drawUniform(address, count);
    out.set(numbers, i * count);
  }
  return out;
}

import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';
import * as tf from '@tensorflow/tfjs';

import { bufferUpdates } from '../buffer-updates.ts';
import { checkTraining } from '../check-training.ts';
import { flatten, paramLayout, paramValues, splitParams, unflatten } from '../flat-params.ts';
import { applyStep, momentNames, optimizerSettings, stepScalars, type FlatState } from '../optimizer.ts';
import { scheduleRate } from '../schedule.ts';
import { checkSlice, dataShapes, gatherRows, sameKind } from '../training-data.ts';
import type { CompiledTraining, TrainingSpec } from '../types.ts';
import { valueAndGradients } from '../gradients/value-and-gradients.ts';
import { stepRandom } from './step-random.ts';

/** Longest time between two turns of the event loop within a slice, ms. */
const BREATH_MS = 20;

/**
 * A training whose steps run op by op on a tfjs backend. Parameters and moments live on the host, where one fused loop
 * is faster than the dozen small kernels of an optimizer, exact, and the same for every backend.
 */
export function eagerTraining(backend: string, { data: firstRows, ...spec }: TrainingSpec): CompiledTraining {
  const settings = optimizerSettings(spec.optimizer);
  const { trained, buffers, frozen } = splitParams(spec);
  const layout = paramLayout(trained, spec.optimizer);
  const frozenLayout = paramLayout(frozen);
  const bufferLayout = paramLayout(buffers);
  let frozenValues = flatten(frozenLayout, paramValues(frozen));
  let bufferValues = flatten(bufferLayout, paramValues(buffers));
  const kinds = dataShapes(firstRows);
  let data = firstRows;
  let rows = checkTraining({ ...spec, data });
  let state: FlatState = {
    params: flatten(layout, paramValues(trained)),
    m: new Float32Array(layout.size),
    v: new Float32Array(layout.size),
  };
  const gradient = new Float32Array(layout.size);
  let step = 0;
  let disposed = false;

  const trainBatch = (order: Int32Array, from: number, to: number): number => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
    const loss = tf.tidy(() => {
      const batch: Record<string, tf.Tensor> = {};
      for (const [name, array] of Object.entries(data)) {
        const { values, shape, dtype } = gatherRows(array, order, from, to);
        batch[name] = tf.tensor(values, shape, dtype);
      }
      const params: Record<string, tf.Tensor> = {};
      for (const { name, shape, start, end } of layout.slices)
        params[name] = tf.tensor(state.params.subarray(start, end), shape);
      const learned = Object.values(params);
      for (const { name, shape, start, end } of frozenLayout.slices)
        params[name] = tf.tensor(frozenValues.subarray(start, end), shape);
      for (const { name, shape, start, end } of bufferLayout.slices)
        params[name] = tf.tensor(bufferValues.slice(start, end), shape);
      const { update, next } = bufferUpdates(
        Object.fromEntries(bufferLayout.slices.map(({ name }) => [name, params[name]!])),
        (value) => value.dataSync().slice() as Float32Array,
      );
      const random = stepRandom({ seed: spec.seed, domain: 'train', step });
      // A parameter that this loss does not use has gradient zero.
      const { value, grads } = valueAndGradients(
        () => spec.loss(batch, params, { random, training: true, update }),
        learned,
      );
      if (value.size !== 1)
        throw new HourglassError(
          'STEP_UNTRACEABLE',
          `The loss must be a scalar, found shape [${value.shape.join(', ')}]. Reduce it with tf.mean or tf.sum.`,
        );
      if (grads.every((g) => !g))
        throw new HourglassError(
          'STEP_UNTRACEABLE',
          'The loss depends on no parameter: it has no gradient. Values read back inside the step (dataSync, arraySync) cut the way.',
        );
      layout.slices.forEach(({ start, end }, i) => {
        if (grads[i]) gradient.set(grads[i].dataSync() as Float32Array, start);
        else gradient.fill(0, start, end);
      });
      const after = next();
      for (const { name, start } of bufferLayout.slices) bufferValues.set(after.get(name)!, start);
      return value.dataSync()[0]!;
    });
    applyStep(settings, layout, state, gradient, stepScalars(settings, scheduleRate(spec.schedule, step), step));
    step++;
    return loss;
  };

  const alive = () => {
    if (disposed) throw new HourglassError('INTERNAL', 'This training was disposed.');
  };

  return {
    async runSlice(order, from, to) {
      alive();
      checkSlice(order, rows, spec.batchSize, from, to);
      const losses = new Float32Array(to - from);
      let breath = performance.now();
      for (let batch = from; batch < to; batch++) {
        const start = batch * spec.batchSize;
        losses[batch - from] = trainBatch(order, start, Math.min(order.length, start + spec.batchSize));
        if (performance.now() - breath > BREATH_MS) {
          await setImmediate();
          alive();
          breath = performance.now();
        }
      }
      return losses;
    },
    async readState() {
      alive();
      const slots: Record<string, Float32Array> = {};
      for (const moment of momentNames(settings)) Object.assign(slots, unflatten(layout, state[moment], `${moment}/`));
      const params = {
        ...unflatten(layout, state.params),
        ...unflatten(bufferLayout, bufferValues),
        ...unflatten(frozenLayout, frozenValues),
      };
      return { params, slots, step };
    },
    async writeState(next) {
      alive();
      const moments = momentNames(settings);
      const zeros = () => new Float32Array(layout.size);
      state = {
        params: flatten(layout, next.params),
        m: moments.includes('m') ? flatten(layout, next.slots, 'm/') : zeros(),
        v: moments.includes('v') ? flatten(layout, next.slots, 'v/') : zeros(),
      };
      bufferValues = flatten(bufferLayout, next.params);
      frozenValues = flatten(frozenLayout, next.params);
      step = next.step;
    },
    async writeData(next) {
      alive();
      rows = sameKind(next, kinds);
      data = next;
    },
    dispose() {
      disposed = true;
    },
  };
}

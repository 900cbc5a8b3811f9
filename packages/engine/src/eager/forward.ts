import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';
import * as tf from '@tensorflow/tfjs';

import { noUpdate } from '../buffer-updates.ts';
import { flatten, paramLayout, paramValues, sizeOf } from '../flat-params.ts';
import { rowCount, sliceRows } from '../training-data.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { stepRandom } from './step-random.ts';

/** A forward pass run op by op on a tfjs backend, in batches of bounded size. */
export function eagerForward(backend: string, spec: ForwardSpec): CompiledForward {
  const batchSize = spec.batchSize ?? 4096;
  const use = () => {
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
  };
  const layout = paramLayout(spec.params);
  let params: Record<string, tf.Tensor> = {};
  const release = () => {
    for (const tensor of Object.values(params)) tensor.dispose();
    params = {};
  };
  const upload = (flat: Float32Array) => {
    use();
    release();
    for (const { name, shape, start, end } of layout.slices)
      params[name] = tf.keep(tf.tensor(flat.subarray(start, end), shape));
  };
  upload(flatten(layout, paramValues(spec.params)));

  const runBatch = (inputs: Record<string, DataArray>, firstRow: number, rows: number) => {
    use();
    return tf.tidy(() => {
      const batch = Object.fromEntries(
        Object.entries(inputs).map(([name, a]) => [name, tf.tensor(a.values, a.shape, a.dtype)]),
      );
      const random = stepRandom({ seed: spec.seed ?? 0, domain: 'forward', step: 0 }, firstRow);
      return Object.entries(spec.forward(batch, params, { random, training: false, update: noUpdate })).map(
        ([name, out]) => {
          if (out.shape[0] !== rows)
            throw new HourglassError(
              'STEP_UNTRACEABLE',
              `Output ${name}: expected ${rows} rows, one for each row of the batch, found shape [${out.shape.join(', ')}].`,
            );
          return [name, out.shape, out.dataSync(), out.dtype] as const;
        },
      );
    });
  };

  return {
    async run(inputs) {
      const rows = rowCount(inputs);
      const outputs: Record<string, DataArray> = {};
      // An empty table still has output shapes: one row of zeros tells them, and none of it is kept.
      const source =
        rows === 0 ? Object.fromEntries(Object.entries(inputs).map(([k, a]) => [k, oneZeroRow(a)])) : inputs;
      for (let from = 0; from < Math.max(1, rows); from += batchSize) {
        const to = Math.min(Math.max(1, rows), from + batchSize);
        const part = Object.fromEntries(Object.entries(source).map(([k, a]) => [k, sliceRows(a, from, to)]));
        for (const [name, shape, values, dtype] of runBatch(part, from, to - from)) {
          const width = sizeOf(shape.slice(1));
          const whole = (outputs[name] ??= emptyArray(dtype === 'float32', [rows, ...shape.slice(1)]));
          if (rows > 0) whole.values.set(values as Float32Array, from * width);
        }
        if (to < rows) await setImmediate();
      }
      return outputs;
    },
    async writeParams(next) {
      upload(flatten(layout, next));
    },
    dispose: release,
  };
}

const emptyArray = (float: boolean, shape: number[]): DataArray =>
  float
    ? { dtype: 'float32', shape, values: new Float32Array(sizeOf(shape)) }
    : { dtype: 'int32', shape, values: new Int32Array(sizeOf(shape)) };

const oneZeroRow = (array: DataArray): DataArray => emptyArray(array.dtype === 'float32', [1, ...array.shape.slice(1)]);

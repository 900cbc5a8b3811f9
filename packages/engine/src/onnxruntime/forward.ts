import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';
import { Tensor, type InferenceSession } from 'onnxruntime-node';

import { flatten, paramLayout, paramValues, sizeOf } from '../flat-params.ts';
import { inferenceModel, outputName, type InferenceModel } from '../onnx/inference-model.ts';
import { drawBernoulli, drawNormal, drawUniform } from '../random/draw.ts';
import { dataShapes, type DataShape, type RandomDraw } from '../tracer/trace-step.ts';
import { rowCount, sliceRows } from '../training-data.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { openSession, runSession, type Feeds } from './session.ts';

interface Compiled {
  inference: InferenceModel;
  session: InferenceSession;
}

/** A forward pass compiled at its first run, when the shapes of its inputs are known, and run in bounded batches. */
export function onnxForward(spec: ForwardSpec): CompiledForward {
  const batchSize = spec.batchSize ?? 4096;
  const layout = paramLayout(spec.params);
  let values = flatten(layout, paramValues(spec.params));
  const compiled = new Map<string, Promise<Compiled>>();
  let disposed = false;

  const compile = async (data: Record<string, DataShape>): Promise<Compiled> => {
    const inference = inferenceModel(spec, data, { paramInputs: true });
    return { inference, session: await openSession(inference.model) };
  };

  const runBatch = async (
    { inference, session }: Compiled,
    part: Record<string, DataArray>,
    from: number,
    rows: number,
  ) => {
    const feeds: Feeds = {};
    for (const [name, a] of Object.entries(part)) feeds[name] = new Tensor(a.dtype, a.values as never, a.shape);
    for (const { name, shape, start, end } of layout.slices)
      feeds[`param/${name}`] = new Tensor('float32', values.subarray(start, end), shape);
    inference.draws.forEach((draw, i) => {
      const shape = draw.shape.map((d) =>
        d > 0 && d % inference.tracedRows === 0 ? (d / inference.tracedRows) * rows : d,
      );
      feeds[`random/${i}`] = new Tensor('float32', drawRows(draw, shape, spec.seed ?? 0, i, from), shape);
    });
    return runSession(session, feeds);
  };

  return {
    async run(inputs) {
      if (disposed) throw new HourglassError('INTERNAL', 'This forward pass was disposed.');
      const rows = rowCount(inputs);
      const data = dataShapes(inputs);
      const key = JSON.stringify(data);
      let one = compiled.get(key);
      if (!one) compiled.set(key, (one = compile(data)));
      const ready = await one;
      const outputs = Object.fromEntries(
        Object.entries(ready.inference.outputs).map(([name, { rowShape, dtype }]) => {
          const shape = [rows, ...rowShape];
          const size = sizeOf(shape);
          return [
            name,
            dtype === 'int32'
              ? { dtype, shape, values: new Int32Array(size) }
              : { dtype, shape, values: new Float32Array(size) },
          ] as const;
        }),
      );
      for (let from = 0; from < rows; from += batchSize) {
        const to = Math.min(rows, from + batchSize);
        const part = Object.fromEntries(Object.entries(inputs).map(([name, a]) => [name, sliceRows(a, from, to)]));
        const results = await runBatch(ready, part, from, to - from);
        for (const [name, whole] of Object.entries(outputs))
          whole.values.set(results[outputName(name, data)]!.data as never, from * sizeOf(whole.shape.slice(1)));
        if (to < rows) await setImmediate();
      }
      return outputs;
    },
    async writeParams(next) {
      values = flatten(layout, next);
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const one of compiled.values())
        one.then(
          ({ session }) => session.release(),
          () => undefined,
        );
    },
  };
}

/** Random numbers of the rows from `firstRow` on: the same however the rows are cut into batches. */
function drawRows(draw: RandomDraw, shape: number[], seed: number, call: number, firstRow: number): Float32Array {
  const address = { seed, domain: 'forward', step: 0, call } as const;
  const count = sizeOf(shape);
  const offset = firstRow * sizeOf(shape.slice(1));
  if (draw.kind === 'bernoulli') return drawBernoulli(address, count, draw.p, offset);
  return draw.kind === 'normal' ? drawNormal(address, count, offset) : drawUniform(address, count, offset);
}

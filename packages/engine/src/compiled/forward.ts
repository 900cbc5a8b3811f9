import { setImmediate } from 'node:timers/promises';

import { HourglassError } from '@hourglass/core';

import { flatten, paramLayout, paramValues, sizeOf, type ParamLayout } from '../flat-params.ts';
import type { RandomDraw } from '../tracer/trace-step.ts';
import { dataShapes, rowCount, sliceRows, type DataShape } from '../training-data.ts';
import type { CompiledForward, DataArray, ForwardSpec } from '../types.ts';
import { drawRows } from './draw-steps.ts';

/** A forward pass compiled for inputs of some shapes, for batches of any number of rows. */
export interface ForwardRunner {
  draws: readonly RandomDraw[];
  /** Type and shape of a row of each output. */
  outputs: Record<string, DataShape>;
  /** Rows the graph was traced for; multiples of it in shapes of draws stand for the rows of the batch. */
  tracedRows: number;
  /** @returns values of the outputs, in their order */
  run(batch: Record<string, DataArray>, random: DataArray[]): Promise<ArrayLike<number>[]>;
  writeParams(flat: Float32Array): void;
  dispose(): void;
}

/** A forward pass compiled at its first run, when the shapes of its inputs are known, and run in bounded batches. */
export function compiledForward(
  spec: ForwardSpec,
  compile: (data: Record<string, DataShape>, layout: ParamLayout) => Promise<ForwardRunner>,
): CompiledForward {
  const batchSize = spec.batchSize ?? 4096;
  const layout = paramLayout(spec.params);
  let params = flatten(layout, paramValues(spec.params));
  const compiled = new Map<string, Promise<ForwardRunner>>();
  let disposed = false;

  const runnerFor = (data: Record<string, DataShape>): Promise<ForwardRunner> => {
    const key = JSON.stringify(data);
    let one = compiled.get(key);
    if (!one) {
      one = compile(data, layout).then((runner) => (runner.writeParams(params), runner));
      compiled.set(key, one);
    }
    return one;
  };

  return {
    async run(inputs) {
      if (disposed) throw new HourglassError('INTERNAL', 'This forward pass was disposed.');
      const rows = rowCount(inputs);
      const runner = await runnerFor(dataShapes(inputs));
      const outputs = Object.entries(runner.outputs).map(
        ([name, { rowShape, dtype }]) => [name, emptyArray(dtype, [rows, ...rowShape])] as const,
      );
      for (let from = 0; from < rows; from += batchSize) {
        const to = Math.min(rows, from + batchSize);
        const part = Object.fromEntries(Object.entries(inputs).map(([name, a]) => [name, sliceRows(a, from, to)]));
        const random = runner.draws.map((draw, i): DataArray => {
          const shape = draw.shape.map((d) =>
            d > 0 && d % runner.tracedRows === 0 ? (d / runner.tracedRows) * (to - from) : d,
          );
          return { dtype: 'float32', shape, values: drawRows(draw, shape, spec.seed ?? 0, i, from) };
        });
        const results = await runner.run(part, random);
        outputs.forEach(([, { shape, values }], i) => values.set(results[i]!, from * sizeOf(shape.slice(1))));
        if (to < rows) await setImmediate();
      }
      return Object.fromEntries(outputs);
    },
    async writeParams(next) {
      params = flatten(layout, next);
      for (const one of compiled.values()) (await one).writeParams(params);
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const one of compiled.values())
        one.then(
          (runner) => runner.dispose(),
          () => undefined,
        );
    },
  };
}

const emptyArray = (dtype: DataArray['dtype'], shape: number[]): DataArray =>
  dtype === 'int32'
    ? { dtype, shape, values: new Int32Array(sizeOf(shape)) }
    : { dtype, shape, values: new Float32Array(sizeOf(shape)) };

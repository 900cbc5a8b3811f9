import { Tensor } from 'onnxruntime-node';

import { compiledTraining, type FlatTraining, type StepGraph, type StepRunner } from '../compiled/training.ts';
import { sizeOf, type ParamLayout } from '../flat-params.ts';
import { fromGroups, toGroups, vectorGroups, type VectorGroups } from '../onnx/param-groups.ts';
import { stepModel } from '../onnx/step-model.ts';
import type { CompiledTraining, DataArray, TrainingSpec } from '../types.ts';
import { disposeTensors, fromGpu, toGpu, type GpuTensors } from './gpu-copies.ts';
import { openSession, type Feeds } from './session.ts';

/**
 * A training traced once and run by onnxruntime on a GPU: rows and state stay in its memory, and a call is one step,
 * because onnxruntime has no Loop for GPUs.
 */
export const gpuTraining = (spec: TrainingSpec): Promise<CompiledTraining> =>
  compiledTraining(spec, (start, layouts, rows) => {
    const groups = vectorGroups(layouts);
    const data = onGpu(prefixed('data', rows));
    const frozen = onGpu(frozenArrays(layouts.frozen, start.frozen));
    const state = onGpu(stateArrays(groups, start));
    const step: GpuStep = {
      feeds: async () => ({ ...(await data.tensors()), ...(await frozen.tensors()), ...(await state.tensors()) }),
      replace: state.replace,
    };
    return {
      compile: (graph) => stepRunner(graph, step),
      async read() {
        const values = await fromGpu(await state.tensors());
        return Object.fromEntries(
          groups.map(({ vector, groups, size }) => [
            vector,
            fromGroups(
              groups,
              groups.map((_, i) => values[`${vector}/${i}`]!),
              size,
            ),
          ]),
        );
      },
      async write(next) {
        state.replace(await toGpu(stateArrays(groups, next)));
        frozen.replace(await toGpu(frozenArrays(layouts.frozen, next.frozen)));
      },
      writeData: async (next) => data.replace(await toGpu(prefixed('data', next))),
      dispose() {
        for (const one of [data, frozen, state]) one.dispose();
      },
    };
  });

/** Arrays that are copied to the memory of the GPU when first needed; other tensors may take their place. */
function onGpu(first: Record<string, DataArray>) {
  let arrays: Record<string, DataArray> | undefined = first;
  let held: Promise<GpuTensors> | undefined;
  const put = (next?: Promise<GpuTensors>) => {
    held?.then(
      (one) => one.dispose(),
      () => undefined,
    );
    // What lies in the memory of the GPU need not lie here too.
    arrays = undefined;
    held = next;
  };
  return {
    async tensors(): Promise<Feeds> {
      if (!held) put(toGpu(arrays!));
      return (await held!).tensors;
    },
    replace: (next: GpuTensors) => put(Promise.resolve(next)),
    dispose: () => put(),
  };
}

const prefixed = (kind: string, arrays: Record<string, DataArray>): Record<string, DataArray> =>
  Object.fromEntries(Object.entries(arrays).map(([name, a]) => [`${kind}/${name}`, a]));

const frozenArrays = ({ slices }: ParamLayout, values: Float32Array): Record<string, DataArray> =>
  Object.fromEntries(
    slices.map(({ name, shape, start, end }) => [
      `frozen/${name}`,
      { dtype: 'float32', shape, values: values.subarray(start, end) },
    ]),
  );

const stateArrays = (groups: readonly VectorGroups[], { state }: FlatTraining): Record<string, DataArray> =>
  Object.fromEntries(
    groups.flatMap(({ vector, groups }) =>
      toGroups(groups, state[vector]!).map((values, i) => [
        `${vector}/${i}`,
        { dtype: 'float32', shape: groups[i]!.shape, values },
      ]),
    ),
  );

interface GpuStep {
  /** Rows, frozen parameters and state. */
  feeds(): Promise<Feeds>;
  replace(state: GpuTensors): void;
}

async function stepRunner(graph: StepGraph, { feeds, replace }: GpuStep): Promise<StepRunner> {
  const names = vectorGroups(graph).flatMap(({ vector, groups }) => groups.map((_, i) => `${vector}/${i}`));
  const session = await openSession(stepModel(graph), {
    engine: 'webgpu',
    keep: names.map((name) => `${name}.out`),
  });
  return {
    async run({ steps, rows, scalars, random }) {
      const losses = new Float32Array(steps);
      for (let step = 0; step < steps; step++) {
        const results = await session.run(
          {
            ...(await feeds()),
            rows: new Tensor('int32', rows.subarray(step * graph.rows, (step + 1) * graph.rows), [graph.rows]),
            scalars: new Tensor('float32', scalars.subarray(step * 3, (step + 1) * 3), [3]),
            ...Object.fromEntries(
              graph.draws.map(({ shape }, i) => {
                const size = sizeOf(shape);
                return [
                  `random/${i}`,
                  new Tensor('float32', random[i]!.subarray(step * size, (step + 1) * size), shape),
                ];
              }),
            ),
          },
          `batches of ${graph.rows} rows`,
        );
        const next = Object.fromEntries(names.map((name) => [name, results[`${name}.out`]!]));
        replace({ tensors: next, dispose: () => disposeTensors(next) });
        losses[step] = (results.loss!.data as Float32Array)[0]!;
      }
      return losses;
    },
    dispose: session.dispose,
  };
}

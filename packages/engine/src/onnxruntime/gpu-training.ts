import { Tensor } from 'onnxruntime-node';

import { compiledTraining, type StepGraph, type StepRunner } from '../compiled/training.ts';
import { sizeOf } from '../flat-params.ts';
import { stateTensors } from '../onnx/emit-step.ts';
import { vectorGroups } from '../onnx/param-groups.ts';
import { stepModel } from '../onnx/step-model.ts';
import type { CompiledTraining, TrainingSpec } from '../types.ts';
import { fromGpu } from './gpu-copies.ts';
import { heldOnGpu, type HeldOnGpu } from './held-on-gpu.ts';
import { openSession, type Feeds } from './session.ts';
import { flatState, layoutArrays, prefixed, stateArrays } from './state-arrays.ts';

/**
 * A training traced once and run by onnxruntime on a GPU: rows and state stay in its memory, and a call is one step,
 * because onnxruntime has no Loop for GPUs.
 */
export const gpuTraining = (spec: TrainingSpec): Promise<CompiledTraining> =>
  compiledTraining(spec, (start, layouts, rows) => {
    const groups = vectorGroups(layouts);
    const data = heldOnGpu(prefixed('data', rows));
    const frozen = heldOnGpu(layoutArrays('frozen', layouts.frozen, start.frozen));
    const state = heldOnGpu(stateArrays(groups, start));
    const fixed = async (): Promise<Feeds> => ({ ...(await data.tensors()), ...(await frozen.tensors()) });
    return {
      compile: (graph) => stepRunner(graph, fixed, state),
      async read() {
        const values = await fromGpu(await state.tensors());
        return flatState(groups, (name) => values[name]!);
      },
      async write(next) {
        state.write(stateArrays(groups, next));
        frozen.write(layoutArrays('frozen', layouts.frozen, next.frozen));
      },
      writeData: async (next) => data.write(prefixed('data', next)),
      dispose() {
        for (const one of [data, frozen, state]) one.dispose();
      },
    };
  });

/** @param fixed rows and frozen parameters */
async function stepRunner(graph: StepGraph, fixed: () => Promise<Feeds>, state: HeldOnGpu): Promise<StepRunner> {
  const names = stateTensors(graph).map(({ name }) => name);
  const session = await openSession(stepModel(graph), {
    engine: 'webgpu',
    keep: names.map((name) => `${name}.out`),
  });
  return {
    async run({ steps, rows, scalars, random }) {
      const losses = new Float32Array(steps);
      const same = await fixed();
      for (let step = 0; step < steps; step++) {
        const own = <A extends Float32Array | Int32Array>(values: A, size: number) =>
          values.subarray(step * size, (step + 1) * size) as A;
        const results = await session.run(
          {
            ...same,
            ...(await state.tensors()),
            rows: new Tensor('int32', own(rows, graph.rows), [graph.rows]),
            scalars: new Tensor('float32', own(scalars, 3), [3]),
            ...Object.fromEntries(
              graph.draws.map(({ shape }, i) => [
                `random/${i}`,
                new Tensor('float32', own(random[i]!, sizeOf(shape)), shape),
              ]),
            ),
          },
          `batches of ${graph.rows} rows`,
        );
        state.replace(Object.fromEntries(names.map((name) => [name, results[`${name}.out`]!])));
        losses[step] = (results.loss!.data as Float32Array)[0]!;
      }
      return losses;
    },
    dispose: session.dispose,
  };
}

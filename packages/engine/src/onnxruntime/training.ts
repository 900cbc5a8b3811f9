import { Tensor } from 'onnxruntime-node';

import { compiledTraining, type StepGraph, type StepRunner } from '../compiled/training.ts';
import { multiplyAdds } from '../ir/work.ts';
import { vectorGroups } from '../onnx/param-groups.ts';
import { trainingModel } from '../onnx/training-model.ts';
import { threadsFor } from '../threads.ts';
import type { CompiledTraining, TrainingSpec } from '../types.ts';
import { openSession, type Feeds, type Session } from './session.ts';
import { flatState, layoutArrays, prefixed, stateArrays } from './state-arrays.ts';
import { toTensors } from './tensors.ts';

/** A training traced once and run by onnxruntime on the processor: the state is fed to every call and taken out of it. */
export async function onnxTraining(spec: TrainingSpec): Promise<CompiledTraining> {
  return compiledTraining(spec, (start, layouts, rows) => {
    let threads: number | undefined;
    const groups = vectorGroups(layouts);
    let data = prefixed('data', rows);
    let frozen = layoutArrays('frozen', layouts.frozen, start.frozen);
    let state = stateArrays(groups, start);
    const keep = (results: Feeds) => {
      state = Object.fromEntries(
        Object.entries(state).map(([name, { shape }]) => [
          name,
          { dtype: 'float32', shape, values: results[`${name}.out`]!.data as Float32Array },
        ]),
      );
    };
    return {
      compile: async (step) => {
        // By whole batches: the last, smaller one of an epoch is computed as the others are.
        threads ??= threadsFor(multiplyAdds(step.graph));
        const session = await openSession(trainingModel(step), { engine: 'onnxruntime', threads });
        return stepRunner(session, step, () => toTensors({ ...data, ...frozen, ...state }), keep);
      },
      read: async () => flatState(groups, (name) => state[name]!.values as Float32Array),
      write: async (next) => {
        state = stateArrays(groups, next);
        frozen = layoutArrays('frozen', layouts.frozen, next.frozen);
      },
      writeData: async (next) => void (data = prefixed('data', next)),
    };
  });
}

const stepRunner = (
  session: Session,
  { draws, rows: batch }: StepGraph,
  feedsOf: () => Feeds,
  keep: (results: Feeds) => void,
): StepRunner => ({
  async run({ steps, rows, scalars, random }) {
    const feeds = feedsOf();
    feeds.steps = new Tensor('int64', BigInt64Array.of(BigInt(steps)), []);
    feeds.rows = new Tensor('int32', rows, [steps, batch]);
    feeds.scalars = new Tensor('float32', scalars, [steps, 3]);
    draws.forEach(({ shape }, i) => (feeds[`random/${i}`] = new Tensor('float32', random[i]!, [steps, ...shape])));
    const results = await session.run(feeds, `batches of ${batch} rows`);
    keep(results);
    return results.losses!.data as Float32Array;
  },
  dispose: session.dispose,
});
